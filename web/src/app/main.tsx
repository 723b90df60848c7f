import { effect } from "@preact/signals";
import { render } from "preact";
import { stage } from "../gl/stage";
import { promptFor, registerCurationActions } from "../shell/curation_actions";
import { Dialogs } from "../shell/dialogs";
import { createDock } from "../shell/dock";
import { Help, registerHelpActions } from "../shell/help";
import { listenToKeys } from "../shell/keyboard";
import { MenuBar } from "../shell/menu_bar";
import { offerRecovery } from "../shell/recovery";
import { SnippetLine } from "../shell/snippet_line";
import { Notes, StatusBar } from "../shell/status_bar";
import { runSnippet, setPrompter, setSpikesKnown } from "../state/actions";
import { connect, dataset, hasStopped, isConnected, isDirty } from "../state/session";
import { areSettingsReady } from "../state/settings";
import { addNote, report } from "../state/status";
import { registerViewActions } from "../views/all_views";
import { openViews } from "../widgets/view";
import "./theme.css";
import "./page.css";
import "./views.css";

function Page() {
  return (
    <>
      <header class="top">
        <MenuBar />
        <span class="dataset-name" title={dataset.value?.folder ?? ""}>
          {dataset.value?.name ?? ""}
        </span>
      </header>
      <main id="dock" />
      <SnippetLine />
      <StatusBar />
      <Notes />
      <Help />
      <Dialogs />
      <Curtain />
    </>
  );
}

/** What covers the page while there is nothing behind it. */
function Curtain() {
  if (hasStopped.value) {
    return <div class="curtain">spikeloom has stopped. You can close this window.</div>;
  }
  if (!dataset.value) {
    const text = isConnected.value ? "Opening the dataset…" : "Connecting to spikeloom…";
    return <div class="curtain">{text}</div>;
  }
  return null;
}

setSpikesKnown(() => dataset.value?.is_sorted ?? true);
registerCurationActions();
registerViewActions();
registerHelpActions();
setPrompter(async (action) => {
  const text = await promptFor(action.title, action.prompt ?? "");
  if (text === null) return;
  const problem = runSnippet(`${action.snippet ?? action.id} ${text}`);
  if (problem) report(problem, "warning");
});

const root = document.getElementById("app");
if (root) render(<Page />, root);
listenToKeys(window);

let isDocked = false;
effect(() => {
  const place = document.getElementById("dock");
  if (!areSettingsReady.value || isDocked || !place) return;
  isDocked = true;
  createDock(place);
});

// Views in windows of their own hear keys too.
effect(() => {
  for (const view of openViews.value.values()) {
    view.isVisible.value;
    queueMicrotask(() => {
      const owner = view.element.ownerDocument.defaultView;
      if (owner) listenToKeys(owner);
    });
  }
});

effect(() => {
  const name = dataset.value?.name;
  document.title = `${isDirty.value ? "● " : ""}${name ? `${name} – ` : ""}spikeloom`;
});

if (!stage.gl) {
  addNote(
    "This browser offers no WebGL2, so graphical views stay empty. Tables and curation work.",
    "error",
  );
}
offerRecovery();
connect();
