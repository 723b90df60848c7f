// The floors of the page: imports go down only, and views do not know each other.
//   base < protocol | gl < state < widgets < views < shell < app
// Also: no module is longer than 400 lines.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const SRC = resolve(dirname(fileURLToPath(import.meta.url)), "../src");
const FLOOR = { base: 0, protocol: 1, gl: 1, state: 2, widgets: 3, views: 4, shell: 5, app: 6 };
const ISOLATED = new Set(["protocol", "gl"]); // same floor, but not each other
const MAX_LINES = 400;
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^"';]*?from\s*["']([^"']+)["']|import\(\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']/g;

const problems = [];
const graph = new Map();

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

function roomOf(path) {
  return relative(SRC, path).split("/")[0];
}

for (const path of files(SRC)) {
  const name = relative(SRC, path);
  const text = readFileSync(path, "utf8");
  const lines = text.split("\n").length;
  if (lines > MAX_LINES && !name.endsWith(".gen.ts"))
    problems.push(`${name} has ${lines} lines (${MAX_LINES} at most)`);
  const room = roomOf(path);
  if (!(room in FLOOR)) problems.push(`${name} is in no known room`);
  const targets = [];
  for (const match of text.matchAll(IMPORT)) {
    const target = match[1] ?? match[2] ?? match[3];
    if (!target?.startsWith(".")) continue;
    const resolved = resolve(dirname(path), target);
    const other = roomOf(resolved);
    targets.push(relative(SRC, resolved).replace(/\.(tsx?|css)$/, ""));
    if (other === room) {
      // A view may have a companion file with the same first word: trace_view, trace_keys.
      const word = (file) => file.split("/").pop().split(/[_.]/)[0];
      if (room === "views" && !/all_views|\.test\./.test(name) && word(name) !== word(target)) {
        problems.push(`${name} imports another view: ${target}`);
      }
    } else if (FLOOR[other] > FLOOR[room] || (FLOOR[other] === FLOOR[room] && ISOLATED.has(room))) {
      problems.push(
        `${name} (floor ${FLOOR[room]}) imports ${target} from ${other} (floor ${FLOOR[other]})`,
      );
    }
  }
  graph.set(name.replace(/\.tsx?$/, ""), targets);
}

const state = new Map();
function visit(node, trail) {
  if (state.get(node) === "done" || !graph.has(node)) return;
  if (state.get(node) === "open") {
    problems.push(`circle: ${[...trail.slice(trail.indexOf(node)), node].join(" -> ")}`);
    return;
  }
  state.set(node, "open");
  for (const next of graph.get(node)) visit(next, [...trail, node]);
  state.set(node, "done");
}
for (const node of graph.keys()) visit(node, []);

if (problems.length) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`floors: ${graph.size} modules, imports go down only`);
