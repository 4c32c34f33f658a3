// A poor probe, prepared by plain operations on the whole picture; each is recorded before its copy is shown.
const OPERATIONS = [
  ["crop", "Crop", [["left", 0, 1], ["top", 0, 1], ["width", 400, 1], ["height", 400, 1]]],
  ["rotate", "Rotate", [["degrees", 0, 0.1]]],
  ["scale", "Scale", [["factor", 2, 0.05]]],
  ["brightness", "Brightness", [["levels", 20, 1]]],
  ["contrast", "Contrast", [["factor", 1.2, 0.05]]],
  ["gamma", "Gamma", [["gamma", 1.4, 0.05]]],
  ["greyscale", "Greyscale", []],
  ["original", "Start again from the original", []],
];
const form = document.getElementById("operations");
const told = document.getElementById("preparing");
let changed, gone, busy = false;

export function setUp(sheet, onChange, onGone) {
  changed = onChange;
  gone = onGone;
  form.replaceChildren(...OPERATIONS.map(([op, name, fields]) => operation(op, name, fields)));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("click", (event) => { if (event.target.matches("button")) apply(event.target.closest("fieldset")); });
  list(sheet.lineage);
}

function element(name, properties = {}) { return Object.assign(document.createElement(name), properties); }

function operation(op, name, fields) {
  const row = element("fieldset");
  row.dataset.op = op;
  const inputs = element("div", { className: "operation" });
  for (const [field, value, step] of fields) {
    const label = element("label", { textContent: field });
    label.append(element("input", { type: "number", name: field, value, step }));
    inputs.append(label);
  }
  inputs.append(element("button", { type: "button", textContent: fields.length ? `Apply ${name.toLowerCase()}` : name }));
  row.append(element("legend", { textContent: name }), inputs);
  return row;
}

async function apply(row) {
  if (busy) return;
  busy = true;
  told.textContent = "Being prepared …";
  const asked = { op: row.dataset.op };
  for (const input of row.querySelectorAll("input")) asked[input.name] = Number(input.value);
  const answer = await fetch("/viewer/preparation", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked),
  }).catch(() => null);
  busy = false;
  if (answer?.status === 403) { gone(); return; }
  const said = await answer?.json().catch(() => null);
  if (!answer?.ok) { told.textContent = said?.reason ?? "Not done, and nothing was changed. Try again in a minute."; return; }
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
