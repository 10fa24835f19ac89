// Pointers on the map of a pane: drag and pinch move the view, a click picks, hovering names.

export interface Gestures {
  pan(dx: number, dy: number): void;
  zoom(factor: number, x: number, y: number): void;
  click(x: number, y: number): void;
  hover(x: number, y: number): void;
  leave(): void;
}

const CLICK_PX = 5; // a pointer that moves less has clicked

export function listenTo(canvas: HTMLCanvasElement, gestures: Gestures): void {
  const fingers = new Map<number, { x: number; y: number }>();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (!fingers.size) moved = 0;
    fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    gestures.leave();
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    const now = { x: event.offsetX, y: event.offsetY };
    if (!before) {
      if (event.pointerType === "mouse") gestures.hover(now.x, now.y);
      return;
    }
    moved += Math.hypot(now.x - before.x, now.y - before.y);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const spread = (to: { x: number; y: number }) => Math.hypot(to.x - other.x, to.y - other.y);
      gestures.zoom(spread(now) / Math.max(spread(before), 1), (now.x + other.x) / 2, (now.y + other.y) / 2);
      gestures.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    } else {
      gestures.pan(now.x - before.x, now.y - before.y);
    }
    fingers.set(event.pointerId, now);
  });
  for (const kind of ["pointerup", "pointercancel"] as const) {
    canvas.addEventListener(kind, (event) => {
      fingers.delete(event.pointerId);
      if (kind === "pointerup" && moved < CLICK_PX) gestures.click(event.offsetX, event.offsetY);
    });
  }
  canvas.addEventListener("pointerleave", () => gestures.leave());
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      gestures.zoom(Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY);
    },
    { passive: false },
  );
}
