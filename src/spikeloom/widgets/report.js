"use strict";
{
  const table = document.querySelector("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];

  const valueOf = (row, column) => row.cells[column].dataset.v;

  // Without a value a unit comes last, whichever way the table is sorted.
  const compare = (a, b, sign, isNumber) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (isNumber ? Number(a) - Number(b) : a.localeCompare(b, undefined, { numeric: true }));
  };

  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const isNumber = head.dataset.kind === "number";
      const known = head.getAttribute("aria-sort");
      // Most people look for the largest first, but for names in their order.
      const first = isNumber ? "descending" : "ascending";
      const other = isNumber ? "ascending" : "descending";
      const order = known === first ? other : first;
      for (const one of heads) one.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      rows.sort((a, b) => compare(valueOf(a, column), valueOf(b, column), sign, isNumber));
      body.append(...rows);
    });
  });

  const search = document.querySelector("#search");
  const count = document.querySelector("#count");
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      n += !row.hidden;
    }
    count.textContent = `${n} of ${rows.length} units shown`;
  });

  document.querySelector("#theme").addEventListener("click", () => {
    const root = document.documentElement;
    const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const isDark = (root.dataset.theme ?? (prefersDark ? "dark" : "light")) === "dark";
    root.dataset.theme = isDark ? "light" : "dark";
  });
}
