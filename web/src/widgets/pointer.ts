import { Disposer } from "../base/disposer";
import type { Point } from "../base/geometry";
import { pan, zoom } from "../base/viewport";
import type { Place } from "./panel";
import type { Plot } from "./plot";

/**
 * Mouse on a plot, as in phy: left drag pans, wheel and right drag zoom, double click resets;
 * with Ctrl, Alt or Shift the wheel and clicks mean what the view makes of them. Command counts
 * as Ctrl.
 */
export interface PointerHandlers {
  /** Wheel with a modifier: +1 up, -1 down; returns whether it was used. */
  onWheel?(modifier: "ctrl" | "alt" | "shift", direction: number): boolean;
  /** Click with modifiers, or plain. */
  onClick?(place: Place, click: Click): void;
  onHover?(place: Place | null): void;
}

export interface Click {
  readonly button: "left" | "right" | "middle";
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
  readonly at: Point;
}

const DRAG_PX = 4;
const WHEEL_ZOOM = 1.0015;
const DRAG_ZOOM = 1.006;
const BUTTONS = ["left", "middle", "right"] as const;

interface Drag {
  readonly start: Point;
  readonly event: PointerEvent;
  last: Point;
  isMoving: boolean;
}

/** Listen to the mouse on a plot; returns a function that stops. */
export function listenToPointer(plot: Plot, handlers: PointerHandlers): () => void {
  const disposer = new Disposer();
  const { element } = plot;
  let drag: Drag | null = null;

  const at = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  disposer.listen(
    element,
    "wheel",
    (event) => {
      event.preventDefault();
      const direction = Math.sign(event.deltaY || event.deltaX) * -1;
      const modifier = wheelModifier(event);
      if (modifier && handlers.onWheel?.(modifier, direction)) return;
      const factor = WHEEL_ZOOM ** -(event.deltaY * (event.deltaMode === 1 ? 33 : 1));
      plot.setView(zoom(plot.view, at(event), factor, factor));
    },
    { passive: false },
  );
  disposer.listen(element, "pointerdown", (event) => {
    drag = { start: at(event), event, last: at(event), isMoving: false };
    element.setPointerCapture(event.pointerId);
  });
  disposer.listen(element, "pointermove", (event) => {
    const point = at(event);
    if (!drag) {
      handlers.onHover?.(plot.placeAt(point));
      return;
    }
    const far = Math.hypot(point[0] - drag.start[0], point[1] - drag.start[1]) > DRAG_PX;
    if (!drag.isMoving && !far) return;
    drag.isMoving = true;
    move(plot, drag, point);
    drag.last = point;
  });
  disposer.listen(element, "pointerup", (event) => {
    const done = drag;
    drag = null;
    if (!done || done.isMoving) return;
    const place = plot.placeAt(done.start);
    const button = BUTTONS[event.button];
    if (place && button) handlers.onClick?.(place, { button, ...modifiers(event), at: done.start });
  });
  disposer.listen(element, "pointercancel", () => {
    drag = null;
  });
  disposer.listen(element, "pointerleave", () => handlers.onHover?.(null));
  disposer.listen(element, "dblclick", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) plot.reset();
  });
  disposer.listen(element, "contextmenu", (event) => event.preventDefault());
  return () => disposer.dispose();
}

function move(plot: Plot, drag: Drag, point: Point): void {
  const [dx, dy] = [point[0] - drag.last[0], point[1] - drag.last[1]];
  if (drag.event.button === 0) plot.setView(pan(plot.view, dx, dy));
  else plot.setView(zoom(plot.view, drag.start, DRAG_ZOOM ** dx, DRAG_ZOOM ** -dy));
}

function wheelModifier(event: WheelEvent): "ctrl" | "alt" | "shift" | null {
  if (event.ctrlKey || event.metaKey) return "ctrl";
  if (event.altKey) return "alt";
  return event.shiftKey ? "shift" : null;
}

function modifiers(event: PointerEvent): Omit<Click, "button" | "at"> {
  return { ctrl: event.ctrlKey || event.metaKey, alt: event.altKey, shift: event.shiftKey };
}
