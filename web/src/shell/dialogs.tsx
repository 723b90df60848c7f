import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Questions to the user: one at a time, above everything. */

export interface Choice {
  readonly text: string;
  readonly value: string;
  readonly isMain?: boolean;
}

interface Question {
  readonly title: string;
  readonly body: ComponentChildren;
  readonly choices: readonly Choice[];
  /** Text to start with, where a text is asked for. */
  readonly input?: string;
  readonly answer: (value: string | null, text: string) => void;
}

const open = signal<Question | null>(null);

export function isAsking(): boolean {
  return open.value !== null;
}

/** Ask to choose; null when the user pressed Escape. */
export function choose(
  title: string,
  body: ComponentChildren,
  choices: readonly Choice[],
): Promise<string | null> {
  return new Promise((resolve) => {
    open.value = { title, body, choices, answer: (value) => resolve(value) };
  });
}

/** Ask for a text; null when the user gave none. */
export function askText(title: string, hint: string, initial = ""): Promise<string | null> {
  return new Promise((resolve) => {
    open.value = {
      title,
      body: hint,
      input: initial,
      choices: [
        { text: "Cancel", value: "" },
        { text: "OK", value: "ok", isMain: true },
      ],
      answer: (value, text) => resolve(value === "ok" ? text : null),
    };
  });
}

export function Dialogs() {
  const question = open.value;
  const box = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (question && box.current && !box.current.open) {
      box.current.showModal();
      (input.current ?? box.current.querySelector<HTMLElement>(".main-choice"))?.focus();
      input.current?.select();
    }
  }, [question]);
  if (!question) return null;
  const answer = (value: string | null) => {
    const text = input.current?.value ?? "";
    open.value = null;
    question.answer(value, text);
  };
  return (
    <dialog
      ref={box}
      class="dialog"
      aria-label={question.title}
      onCancel={(event) => {
        event.preventDefault();
        answer(null);
      }}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter" && question.input !== undefined) {
          event.preventDefault();
          answer("ok");
        }
      }}
    >
      <h2>{question.title}</h2>
      <div class="dialog-body">{question.body}</div>
      {question.input !== undefined && (
        <input ref={input} type="text" value={question.input} aria-label={question.title} />
      )}
      <div class="dialog-choices">
        {question.choices.map((choice) => (
          <button
            type="button"
            key={choice.value}
            class={choice.isMain ? "main-choice" : ""}
            onClick={() => answer(choice.value || null)}
          >
            {choice.text}
          </button>
        ))}
      </div>
    </dialog>
  );
}
