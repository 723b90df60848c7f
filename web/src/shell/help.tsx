import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { chordText } from "../base/keys";
import { type Action, actions, register } from "../state/actions";
import { dataset, version } from "../state/session";
import { offeredViews } from "../views/all_views";

/** The list of keys, mouse gestures and snippets (F1, H), and what this is (?). */

const page = signal<"keys" | "about" | null>(null);

export function isHelpOpen(): boolean {
  return page.value !== null;
}

export function closeHelp(): void {
  page.value = null;
}

export function registerHelpActions(): void {
  register({
    id: "show_all_shortcuts",
    title: "Keys and snippets",
    menu: "Help",
    keys: ["f1", "h"],
    run: () => {
      page.value = page.value === "keys" ? null : "keys";
    },
  });
  register({
    id: "about",
    title: "About spikeloom",
    menu: "Help",
    keys: ["?"],
    run: () => {
      page.value = page.value === "about" ? null : "about";
    },
  });
}

export function Help() {
  const box = useRef<HTMLDivElement>(null);
  const open = page.value;
  useEffect(() => {
    if (open) box.current?.focus();
  }, [open]);
  if (!open) return null;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a click beside the list closes it
    <div class="help-backdrop" onMouseDown={closeHelp}>
      <div
        ref={box}
        class="help"
        role="dialog"
        aria-label={open === "keys" ? "Keys and snippets" : "About spikeloom"}
        tabIndex={-1}
        onMouseDown={(event) => event.stopPropagation()}
      >
        <button type="button" class="help-close" aria-label="Close" onClick={closeHelp}>
          ×
        </button>
        {open === "keys" ? <Keys /> : <About />}
      </div>
    </div>
  );
}

function Keys() {
  const general = actions().filter((action) => !action.view);
  const menus = new Map<string, Action[]>();
  for (const action of general) {
    const menu = action.menu.split("/")[0] || "Other";
    menus.set(menu, [...(menus.get(menu) ?? []), action]);
  }
  const views = offeredViews().filter(([type]) => actions().some((a) => a.view === type));
  return (
    <>
      <h2>Keys, mouse and snippets</h2>
      <p>
        Type <kbd>:</kbd> for a snippet, such as <code>:c 47 49</code>. In graphical views: drag to
        pan, wheel or right drag to zoom, double click to reset.
      </p>
      <div class="help-columns">
        {[...menus].map(([menu, list]) => (
          <KeyList key={menu} title={menu} list={list} />
        ))}
        {views.map(([type, kind]) => (
          <KeyList
            key={type}
            title={kind.title}
            list={actions().filter((action) => action.view === type)}
          />
        ))}
      </div>
    </>
  );
}

function KeyList({ title, list }: { title: string; list: readonly Action[] }) {
  const shown = list.filter((action) => action.keys?.length || action.snippet || action.mouse);
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {shown.map((action) => (
          <div key={action.id} title={action.id}>
            <dt>{action.title.replace(/…$/, "")}</dt>
            <dd>
              {action.keys?.map((key) => (
                <kbd key={key}>{chordText(key)}</kbd>
              ))}
              {action.mouse && <kbd>{action.mouse}</kbd>}
              {action.snippet && <code>:{action.snippet}</code>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function About() {
  const info = dataset.value;
  return (
    <>
      <h2>spikeloom {version.value}</h2>
      <p>The workbench for spike-sorted electrophysiology. BSD-3-Clause licence.</p>
      {info && (
        <dl class="about">
          <Fact name="Dataset" value={info.folder} />
          {info.is_sorted && <Fact name="Spikes" value={info.n_spikes.toLocaleString("en-US")} />}
          <Fact name="Channels" value={String(info.n_channels)} />
          <Fact name="Sampling frequency" value={`${info.sampling_frequency} Hz`} />
          <Fact name="Duration" value={`${info.duration_s.toFixed(1)} s`} />
        </dl>
      )}
      {info?.is_sorted && (
        <p>
          Every edit is in the journal before it is shown. Saving writes phy's files, after a copy
          of what was there before.
        </p>
      )}
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
