// A poor probe, prepared by plain operations on the whole picture; each is recorded before its copy is shown.
import * as crop from "/viewer/crop.js";

const OPERATIONS = [
  ["crop", "Crop", [["left", 0, 1], ["top", 0, 1], ["width", 1, 1], ["height", 1, 1]], "In pixels of the copy, from its upper left corner."],
  ["rotate", "Rotate", [["degrees", 0, 0.1]], "Counter-clockwise; a number below zero turns clockwise."],
  ["scale", "Scale", [["factor", 2, 0.05]], "From 0.25 to 4. No detail is added, whatever the size."],
  ["brightness", "Brightness", [["levels", 20, 1]], "Grey levels added, from -128 to 128."],
  ["contrast", "Contrast", [["factor", 1.2, 0.05]], "From 0.25 to 4; above 1 is more."],
  ["gamma", "Gamma", [["gamma", 1.4, 0.05]], "From 0.25 to 4; above 1 the dark parts are lighter."],
  ["greyscale", "Greyscale", [], ""],
  ["original", "Start again from the original", [], "What was tried stays on the record."],
];
const form = document.getElementById("operations");
const told = document.getElementById("preparing");
let changed, gone, busy = false;

export function setUp(sheet, onChange, onGone) {
  changed = onChange;
  gone = onGone;
  form.replaceChildren(...OPERATIONS.map((one) => operation(...one)));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("click", (event) => { if (event.target.matches(".apply")) apply(event.target.closest("fieldset")); });
  form.addEventListener("keydown", entered);
  const row = form.querySelector("[data-op=crop]");
  row.querySelector(".operation").prepend(drawButton());
  crop.setUp(row);
  list(sheet.lineage);
}

// The latest copy is shown, with its size.
export function shown(picture) {
  const [width, height] = picture.size;
  document.getElementById("size").textContent = `The latest copy is ${width} × ${height} pixels.`;
  crop.of(picture);
}

function element(name, properties = {}) { return Object.assign(document.createElement(name), properties); }

function operation(op, name, fields, how) {
  const row = element("fieldset");
  row.dataset.op = op;
  const inputs = element("div", { className: "operation" });
  for (const [field, value, step] of fields) {
    const label = element("label", { textContent: field });
    label.append(element("input", { type: "number", name: field, value, step, autocomplete: "off" }));
    inputs.append(label);
  }
  inputs.append(element("button", { type: "button", className: "apply", textContent: fields.length ? `Apply ${name.toLowerCase()}` : name }));
  row.append(element("legend", { textContent: name }), inputs);
  if (how) row.append(element("p", { className: "hint", textContent: how }));
  return row;
}

function drawButton() {
  const button = element("button", { type: "button", id: "draw", textContent: "Draw on the copy" });
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => draw(button.getAttribute("aria-pressed") !== "true"));
  return button;
}

function draw(on) {
  document.getElementById("draw").setAttribute("aria-pressed", String(on));
  crop.drawing(on);
  told.textContent = on ? "Drag across the latest copy. Then apply the crop." : "";
}

// Enter in a number applies the operation it belongs to.
function entered(event) {
  if (event.key !== "Enter" || !event.target.matches("input")) return;
  event.preventDefault();
  apply(event.target.closest("fieldset"));
}

async function apply(row) {
  if (busy) return;
  const asked = { op: row.dataset.op };
  for (const input of row.querySelectorAll("input")) {
    if (input.value === "" || !Number.isFinite(input.valueAsNumber)) { told.textContent = `Type a number: ${input.name}.`; input.focus(); return; }
    asked[input.name] = input.valueAsNumber;
  }
  busy = true;
  told.textContent = "Being prepared …";
  const answer = await fetch("/viewer/preparation", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked),
  }).catch(() => null);
  busy = false;
  if (answer?.status === 403) { gone(); return; }
  const said = await answer?.json().catch(() => null);
  if (!answer?.ok) { told.textContent = said?.reason ?? "Not done, and nothing was changed. Try again in a minute."; return; }
  draw(false);
  told.textContent = "Done and recorded.";
  list(said.lineage);
  changed();
}

function list(lineage) {
  document.getElementById("lineage").replaceChildren(...lineage.map((step) => {
    const item = element("li", { textContent: `${step.what} · ${step.by}, ${step.at}` });
    item.append(element("code", { textContent: `${step.before} → ${step.after}` }));
    return item;
  }));
}
