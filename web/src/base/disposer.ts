/** Collects what must be undone when something goes away. */
export class Disposer {
  private readonly undo: (() => void)[] = [];

  /** Remember a function to call at the end, last added first called. */
  add(dispose: () => void): void {
    this.undo.push(dispose);
  }

  /** Listen to an event until the end. */
  listen<K extends keyof HTMLElementEventMap>(
    target: EventTarget,
    kind: K,
    listener: (event: HTMLElementEventMap[K]) => void,
    options?: AddEventListenerOptions,
  ): void {
    const wrapped = listener as EventListener;
    target.addEventListener(kind, wrapped, options);
    this.add(() => target.removeEventListener(kind, wrapped, options));
  }

  dispose(): void {
    for (let undo = this.undo.pop(); undo; undo = this.undo.pop()) undo();
  }
}
