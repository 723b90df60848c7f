import { Lru } from "../base/lru";
import { decodeFrame } from "./frames";
import { VIEW_DEFAULTS, type ViewFrames, type ViewParams } from "./messages.gen";

export type ViewName = keyof ViewFrames;

const CACHE_BYTES = 96 * 2 ** 20;

/** What a request for view data was answered with, if not with data. */
export class DataError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export interface DataRequest<K extends ViewName> {
  readonly view: K;
  readonly clusterIds: readonly number[];
  readonly revision: number;
  readonly params: Partial<ViewParams[K]>;
}

/** Address of the data of a view; parameters at their defaults are left out. */
export function dataUrl<K extends ViewName>(request: DataRequest<K>): string {
  const query = new URLSearchParams();
  query.set("clusters", request.clusterIds.join(","));
  query.set("revision", String(request.revision));
  const defaults = VIEW_DEFAULTS[request.view];
  for (const name of Object.keys(request.params).sort()) {
    const value = request.params[name as keyof ViewParams[K]];
    if (value !== undefined && value !== defaults[name as keyof ViewParams[K]]) {
      query.set(name, String(value));
    }
  }
  return `data/${request.view}?${query}`;
}

/** Fetches view data, remembers the latest, and lets stale requests go. */
export class Fetcher {
  private readonly known = new Lru<unknown>(CACHE_BYTES);
  /** Time that the last request of each view took, in ms; 0 when it was known. */
  readonly lastMs = new Map<ViewName, number>();

  async get<K extends ViewName>(
    request: DataRequest<K>,
    signal: AbortSignal,
  ): Promise<ViewFrames[K]> {
    const url = dataUrl(request);
    const found = this.known.get(url);
    if (found) {
      this.lastMs.set(request.view, 0);
      return found as ViewFrames[K];
    }
    const start = performance.now();
    const response = await fetch(url, { signal });
    if (!response.ok) throw await dataError(response);
    const buffer = await response.arrayBuffer();
    this.lastMs.set(request.view, performance.now() - start);
    const frame = decodeFrame<ViewFrames[K]>(buffer);
    this.known.set(url, frame, buffer.byteLength);
    return frame;
  }

  /** Fetch ahead what will probably be asked for; failures do not matter. */
  prefetch<K extends ViewName>(request: DataRequest<K>, signal: AbortSignal): void {
    if (!this.known.has(dataUrl(request))) this.get(request, signal).catch(() => undefined);
  }
}

async function dataError(response: Response): Promise<DataError> {
  let text = `The server answered ${response.status}.`;
  try {
    const body = (await response.json()) as { text?: string };
    text = body.text ?? text;
  } catch {
    // No JSON: the status alone must do.
  }
  return new DataError(text, response.status);
}
