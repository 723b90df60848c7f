import {
  computed,
  type ReadonlySignal,
  type Signal,
  signal,
  useSignalEffect,
} from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { GROUP, inkOn, selectedColor } from "../base/color";
import { brief, withThousands } from "../base/format";
import {
  columns as allColumns,
  type Cell,
  clickRow,
  columnHelp,
  type Gesture,
  orders,
  type Row,
  rows,
  selectedIds,
  selection,
  send,
  similarities,
  type TableName,
  tables,
} from "../state/session";
import { report } from "../state/status";

/** The cluster tables: virtual rows, sorting, filtering and phy's ways to select. */

const ROW_PX = 20;
const N_SPARE_ROWS = 6;
const CHAR_PX = 7.2;
const N_ROWS_MEASURED = 300;
const WIDTH_MAX_PX = 160;

/** The filter box of each table, for keys and snippets to reach. */
export const filterBoxes = new Map<TableName, HTMLInputElement>();

export function cellText(column: string, value: Cell | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (column === "similarity") return value.toFixed(3);
  if (column === "n_spikes") return withThousands(value);
  return brief(value);
}

export function Table({ name }: { name: TableName }) {
  const columns = useMemo(() => columnsOf(name), [name]);
  return (
    <div class="table-view">
      <Filter name={name} />
      <Grid name={name} columns={columns} />
    </div>
  );
}

function columnsOf(name: TableName): ReadonlySignal<readonly string[]> {
  return computed(() => {
    const known = allColumns.value;
    return name === "cluster" ? known : ["id", "similarity", ...known.filter((c) => c !== "id")];
  });
}

function Filter({ name }: { name: TableName }) {
  const error = useMemo(() => signal(""), []);
  const box = useRef<HTMLInputElement>(null);
  const text = tables.value[name].filter_text;
  useLayoutEffect(() => {
    if (box.current) filterBoxes.set(name, box.current);
  }, [name]);
  useLayoutEffect(() => {
    if (box.current && document.activeElement !== box.current) box.current.value = text;
  }, [text]);
  const apply = (filter: string) => applyFilter(name, filter, error);
  return (
    <div class="table-head">
      <input
        ref={box}
        class={`filter ${error.value ? "has-error" : ""}`}
        type="text"
        spellcheck={false}
        placeholder="filter: group == 'good' && n_spikes > 1000"
        title={error.value || "Press Enter to filter, Esc to show all"}
        aria-label={`Filter of the ${name} table`}
        onKeyDown={(event) => {
          if (event.key === "Enter") apply(event.currentTarget.value);
          if (event.key === "Escape") {
            event.currentTarget.value = "";
            apply("");
            event.currentTarget.blur();
          }
        }}
      />
      <Count name={name} />
    </div>
  );
}

async function applyFilter(name: TableName, text: string, error: Signal<string>): Promise<void> {
  const reply = await send({ type: "filter", table: name, text });
  error.value = reply.error?.text ?? "";
}

function Count({ name }: { name: TableName }) {
  const nShown = orders.value[name].length;
  const nAll = name === "cluster" ? rows.value.size : similarities.value.size;
  const selected = name === "cluster" ? selection.value.best : selection.value.similar;
  const shown = nShown === nAll ? `${nAll}` : `${nShown} / ${nAll}`;
  return (
    <span class="table-count" title="rows shown / all, rows selected">
      {shown} shown{selected.length ? `, ${selected.length} selected` : ""}
    </span>
  );
}

interface GridProps {
  readonly name: TableName;
  readonly columns: ReadonlySignal<readonly string[]>;
}

function Grid({ name, columns }: GridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const top = useMemo(() => signal(0), []);
  const height = useMemo(() => signal(400), []);
  const widths = useMemo(() => columnWidths(name, columns), [name, columns]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [height]);
  useSignalEffect(() => {
    const selected = name === "cluster" ? selection.value.best : selection.value.similar;
    scrollTo(scroller.current, orders.value[name].indexOf(selected[0] ?? -1));
  });
  const order = orders.value[name];
  const first = Math.max(0, Math.floor(top.value / ROW_PX) - N_SPARE_ROWS);
  const count = Math.ceil(height.value / ROW_PX) + 2 * N_SPARE_ROWS;
  const template = widths.value.map((w) => `${w}px`).join(" ");
  const total = widths.value.reduce((sum, w) => sum + w, 0);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the menu key has no use in a table
    <div
      class="table-scroll"
      ref={scroller}
      onScroll={(event) => {
        top.value = event.currentTarget.scrollTop;
      }}
      onContextMenu={(event) => event.preventDefault()}
    >
      <div class="table-grid" style={{ minWidth: `${total}px` }} role="grid">
        <Header name={name} columns={columns.value} template={template} />
        <div class="table-rows" style={{ height: `${order.length * ROW_PX}px` }}>
          {order.slice(first, first + count).map((id, i) => (
            <TableRow
              key={id}
              name={name}
              id={id}
              top={(first + i) * ROW_PX}
              columns={columns.value}
              template={template}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

function scrollTo(element: HTMLDivElement | null, position: number): void {
  if (!element || position < 0) return;
  const y = position * ROW_PX;
  const visible = element.clientHeight - 2 * ROW_PX;
  if (y < element.scrollTop || y > element.scrollTop + visible) {
    element.scrollTop = Math.max(0, y - visible / 2);
  }
}

function columnWidths(
  name: TableName,
  columns: ReadonlySignal<readonly string[]>,
): ReadonlySignal<readonly number[]> {
  return computed(() => {
    const sample = [...rows.value.values()].slice(0, N_ROWS_MEASURED);
    return columns.value.map((column) => {
      let longest = column.length + 2;
      for (const row of sample) {
        longest = Math.max(longest, cellText(column, cellOf(name, column, row)).length);
      }
      return Math.min(WIDTH_MAX_PX, Math.ceil(longest * CHAR_PX) + 12);
    });
  });
}

function cellOf(name: TableName, column: string, row: Row): Cell | undefined {
  if (name === "similarity" && column === "similarity") {
    return similarities.value.get(row["id"] as number);
  }
  return row[column];
}

interface HeaderProps {
  readonly name: TableName;
  readonly columns: readonly string[];
  readonly template: string;
}

function Header({ name, columns, template }: HeaderProps) {
  const { sort_column, is_descending } = tables.value[name];
  return (
    <div class="table-header" style={{ gridTemplateColumns: template }} role="row">
      {columns.map((column) => {
        const isSorted = column === sort_column;
        const arrow = isSorted ? (is_descending ? " ▼" : " ▲") : "";
        const help = columnHelp.value[column] ?? `Label "${column}" of clusters.`;
        return (
          <button
            type="button"
            key={column}
            data-sorted={isSorted}
            title={help}
            onClick={() => void send({ type: "sort", table: name, column })}
          >
            {column}
            {arrow}
          </button>
        );
      })}
    </div>
  );
}

interface TableRowProps extends HeaderProps {
  readonly id: number;
  readonly top: number;
}

function TableRow({ name, id, top, columns, template }: TableRowProps) {
  const row = rows.value.get(id);
  if (!row) return null;
  const isOwn = (name === "cluster" ? selection.value.best : selection.value.similar).includes(id);
  const position = isOwn ? selectedIds.value.indexOf(id) : -1;
  const group = typeof row["group"] === "string" ? row["group"] : "";
  const style: Record<string, string> = {
    transform: `translateY(${top}px)`,
    gridTemplateColumns: template,
  };
  if (position >= 0) {
    style["background"] = selectedColor(position);
    style["color"] = inkOn(selectedColor(position));
  } else if (GROUP[group]) {
    style["color"] = `var(--group-${group})`;
  }
  return (
    <div
      class={`table-row ${position >= 0 ? "is-selected" : ""}`}
      style={style}
      role="row"
      tabIndex={-1}
      aria-selected={position >= 0}
      data-id={id}
      data-group={group}
      onMouseDown={(event) => {
        const gesture = gestureOf(event);
        event.preventDefault();
        (document.activeElement as HTMLElement | null)?.blur();
        if (gesture) clickRow(name, id, gesture);
        else report("Ctrl+right-click moves a cluster between the two tables.");
      }}
    >
      {columns.map((column) => (
        <span key={column} role="gridcell">
          {cellText(column, cellOf(name, column, row))}
        </span>
      ))}
    </div>
  );
}

export function gestureOf(event: MouseEvent): Gesture | null {
  const isCtrl = event.ctrlKey || event.metaKey;
  if (event.button === 2) return isCtrl ? "transfer" : null;
  if (event.shiftKey) return "range";
  return isCtrl ? "toggle" : "replace";
}
