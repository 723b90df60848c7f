import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { chordText } from "../base/keys";
import { type Action, actions, perform } from "../state/actions";
import { offeredViews } from "../views/all_views";
import { addView, resetLayout } from "./dock";

/** The menu bar: made from the actions, and from the types of views. */

const MENUS = ["File", "Edit", "Select", "View", "Help"] as const;

const openMenu = signal<string | null>(null);

export function closeMenus(): void {
  openMenu.value = null;
}

interface Entry {
  readonly title: string;
  readonly hint: string;
  readonly isOn?: boolean | undefined;
  readonly isEnabled: boolean;
  readonly run: () => void;
}

function entryOf(action: Action): Entry {
  const key = action.keys?.[0];
  const snippet = action.snippet ? `:${action.snippet}` : "";
  return {
    title: action.title,
    hint: key ? chordText(key) : snippet,
    isOn: action.isOn?.(),
    isEnabled: action.isEnabled?.() ?? true,
    run: () => perform(action),
  };
}

/** Entries of a menu, in groups that a line divides. */
function groupsOf(menu: string): Entry[][] {
  const own = actions().filter((action) => action.menu === menu);
  const groups = [own.map(entryOf)];
  const submenus = new Set(
    actions()
      .map((action) => action.menu)
      .filter((name) => name.startsWith(`${menu}/`)),
  );
  for (const name of submenus) {
    groups.push(
      actions()
        .filter((action) => action.menu === name)
        .map(entryOf),
    );
  }
  if (menu === "View") {
    const views = offeredViews().map(([type, kind]) => ({
      title: `Add ${kind.title}`,
      hint: "",
      isEnabled: true,
      run: () => addView(type),
    }));
    groups.push(views, [
      { title: "Reset the layout", hint: "", isEnabled: true, run: resetLayout },
    ]);
  }
  return groups.filter((group) => group.length > 0);
}

export function MenuBar(): JSX.Element {
  return (
    <nav class="menu-bar" onMouseLeave={undefined}>
      {MENUS.filter((menu) => groupsOf(menu).length > 0).map((menu) => (
        <div key={menu} class="menu">
          <button
            type="button"
            class={openMenu.value === menu ? "is-open" : ""}
            aria-haspopup="menu"
            aria-expanded={openMenu.value === menu}
            onClick={(event) => {
              openMenu.value = openMenu.value === menu ? null : menu;
              event.currentTarget.blur();
            }}
            onMouseEnter={() => {
              if (openMenu.value) openMenu.value = menu;
            }}
          >
            {menu}
          </button>
          {openMenu.value === menu && <Menu menu={menu} />}
        </div>
      ))}
    </nav>
  );
}

function Menu({ menu }: { menu: string }): JSX.Element {
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a click beside the menu closes it */}
      <div class="menu-backdrop" onMouseDown={closeMenus} />
      <div class="menu-list" role="menu">
        {groupsOf(menu).map((group) => (
          <div key={group[0]?.title} class="menu-group">
            {group.map((entry) => (
              <button
                type="button"
                role="menuitem"
                key={entry.title}
                disabled={!entry.isEnabled}
                onClick={() => {
                  closeMenus();
                  entry.run();
                }}
              >
                <span class="menu-mark">{entry.isOn ? "✓" : ""}</span>
                <span class="menu-title">{entry.title}</span>
                <span class="menu-hint">{entry.hint}</span>
              </button>
            ))}
          </div>
        ))}
      </div>
    </>
  );
}
