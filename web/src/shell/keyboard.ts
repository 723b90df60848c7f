import { chordOf } from "../base/keys";
import { actionForChord, perform } from "../state/actions";
import { isAsking } from "./dialogs";
import { closeHelp, isHelpOpen } from "./help";
import { closeMenus } from "./menu_bar";
import { openSnippetLine } from "./snippet_line";

/** Keys: one listener, before anything else on the page sees them. */

function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return (
    element?.isContentEditable === true || /^(INPUT|TEXTAREA|SELECT)$/.test(element?.tagName ?? "")
  );
}

function onKeyDown(event: KeyboardEvent): void {
  if (isAsking() || isTyping(event.target) || event.isComposing) return;
  const chord = chordOf(event);
  if (chord === "esc" && isHelpOpen()) {
    closeHelp();
    event.preventDefault();
    return;
  }
  if (chord === ":") {
    openSnippetLine();
    event.preventDefault();
    return;
  }
  const action = actionForChord(chord);
  if (!action) return;
  // Buttons are worked by Space and Enter; everything else goes to the actions.
  event.preventDefault();
  event.stopPropagation();
  closeMenus();
  perform(action);
}

/** An Alt key that was part of a chord must not open the browser's menu when it is let go. */
function onKeyUp(event: KeyboardEvent): void {
  if (event.key === "Alt") event.preventDefault();
}

const listening = new WeakSet<Window>();

export function listenToKeys(target: Window): void {
  if (listening.has(target)) return;
  listening.add(target);
  target.addEventListener("keydown", onKeyDown, { capture: true });
  target.addEventListener("keyup", onKeyUp, { capture: true });
}
