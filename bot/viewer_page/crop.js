// A crop drawn on the latest copy with mouse or finger; the numbers beside it say the same and can be typed instead.
import * as stage from "/viewer/stage.js";

const RIGHT = 1;
const glass = document.querySelector("#candidate-pane .glass");
const box = Object.assign(document.createElement("div"), { className: "crop", hidden: true });
let fields, picture, from = null;

export function setUp(row) {
  fields = Object.fromEntries([...row.querySelectorAll("input")].map((input) => [input.name, input]));
  glass.append(box);
  glass.addEventListener("pointerdown", begun);
  glass.addEventListener("pointermove", drawn);
  for (const end of ["pointerup", "pointercancel"]) glass.addEventListener(end, () => { from = null; });
  for (const input of Object.values(fields)) input.addEventListener("input", frame);
  stage.onDrawn(frame);
}

// A new copy: the crop begins with all of it.
export function of(shown) {
  picture = shown;
  const [width, height] = picture.size;
  fields.left.max = width - 1; fields.top.max = height - 1; fields.width.max = width; fields.height.max = height;
  write({ left: 0, top: 0, width, height });
}

export function drawing(on) { glass.classList.toggle("drawing", on); }

function write(numbers) {
  for (const [name, value] of Object.entries(numbers)) fields[name].value = value;
  frame();
}

// Pixels of the copy itself: what is shown of a large one is smaller.
function at(event) {
  const place = glass.getBoundingClientRect();
  const point = stage.matrix(RIGHT).inverse().transformPoint({ x: event.clientX - place.left, y: event.clientY - place.top });
  const [width, height] = picture.size, by = width / picture.width;
  return { x: Math.round(Math.min(width, Math.max(0, point.x * by))), y: Math.round(Math.min(height, Math.max(0, point.y * by))) };
}

function begun(event) {
  if (!glass.classList.contains("drawing") || !picture) return;
  event.preventDefault(); // it draws, and does not move the photograph
  event.stopPropagation();
  glass.setPointerCapture(event.pointerId);
  from = at(event);
}

function drawn(event) {
  if (!from) return;
  const to = at(event);
  write({ left: Math.min(from.x, to.x), top: Math.min(from.y, to.y), width: Math.abs(to.x - from.x), height: Math.abs(to.y - from.y) });
}

function frame() {
  if (!picture) return;
  const [left, top, width, height] = ["left", "top", "width", "height"].map((name) => Number(fields[name].value));
  const all = left === 0 && top === 0 && width === picture.size[0] && height === picture.size[1];
  box.hidden = all;
  if (all) return;
  const by = picture.width / picture.size[0], lies = stage.matrix(RIGHT);
  const a = lies.transformPoint({ x: left * by, y: top * by });
  const b = lies.transformPoint({ x: (left + width) * by, y: (top + height) * by });
  Object.assign(box.style, { left: `${a.x}px`, top: `${a.y}px`, width: `${b.x - a.x}px`, height: `${b.y - a.y}px` });
}
