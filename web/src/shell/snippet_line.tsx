import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { runSnippet } from "../state/actions";
import { report } from "../state/status";

/** The line for snippets, opened by ":". */

const isOpen = signal(false);
const error = signal("");
const past: string[] = [];

export function openSnippetLine(): void {
  error.value = "";
  isOpen.value = true;
}

export function SnippetLine() {
  const box = useRef<HTMLInputElement>(null);
  const at = useRef(0);
  const open = isOpen.value;
  useEffect(() => {
    if (open) {
      at.current = past.length;
      box.current?.focus();
    }
  }, [open]);
  if (!open) return null;
  const close = () => {
    isOpen.value = false;
  };
  const run = (text: string) => {
    const problem = runSnippet(text);
    if (problem) {
      error.value = problem;
      report(problem);
      return;
    }
    if (text.trim()) past.push(text);
    close();
  };
  const recall = (input: HTMLInputElement, step: number) => {
    at.current = Math.min(Math.max(0, at.current + step), past.length);
    input.value = past[at.current] ?? "";
  };
  return (
    <div class="snippet-line">
      <span>:</span>
      <input
        ref={box}
        type="text"
        spellcheck={false}
        aria-label="Snippet"
        onBlur={close}
        onKeyDown={(event) => {
          event.stopPropagation();
          const input = event.currentTarget;
          if (event.key === "Enter") run(input.value);
          else if (event.key === "Escape") close();
          else if (event.key === "Backspace" && input.value === "") close();
          else if (event.key === "ArrowUp") recall(input, -1);
          else if (event.key === "ArrowDown") recall(input, 1);
        }}
      />
      {error.value && <span class="snippet-error">{error.value}</span>}
    </div>
  );
}
