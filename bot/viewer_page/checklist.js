// The morphological comparison: one fieldset for each facial component, kept as soon as it is chosen.
const form = document.getElementById("components");
const progress = document.getElementById("progress");
const unsaid = {}; // notes typed before a finding was chosen: kept in this page until one is
let sheet, label, current = 0, gone, keeping = Promise.resolve();

export function setUp(given, onGone) {
  sheet = given;
  gone = onGone;
  form.replaceChildren(...sheet.components.map(([code, name]) => component(code, name)));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", keep);
  form.addEventListener("input", jot);
  form.addEventListener("focusin", (event) => mark(rows().indexOf(event.target.closest("fieldset"))));
}

export function show(candidate) {
  label = candidate;
  document.getElementById("of").textContent = `candidate ${label}`;
  const noted = sheet.noted[label] ?? {};
  for (const row of rows()) {
    const kept = noted[row.dataset.component];
    for (const choice of row.querySelectorAll("[type=radio]")) choice.checked = choice.value === kept?.finding;
    row.querySelector("[type=text]").value = unsaid[label]?.[row.dataset.component] ?? kept?.note ?? "";
  }
  mark(0);
  say("");
}

export function step(by) {
  mark(Math.min(rows().length - 1, Math.max(0, current + by)));
  const row = rows()[current];
  (row.querySelector(":checked") ?? row.querySelector("[type=radio]")).focus();
}

export function choose(number) {
  const choice = rows()[current].querySelectorAll("[type=radio]")[number];
  choice.focus();
  choice.click();
}

function rows() { return [...form.children]; }

function mark(index) {
  if (index < 0) return;
  current = index;
  rows().forEach((row, i) => row.classList.toggle("now", i === index));
}

function component(code, name) {
  const row = element("fieldset");
  row.dataset.component = code;
  const choices = element("div", { className: "choices" });
  for (const [value, word] of sheet.findings) {
    const told = element("label");
    told.append(element("input", { type: "radio", name: code, value }), word);
    choices.append(told);
  }
  const note = element("input", { type: "text", maxLength: 500, placeholder: "Note", autocomplete: "off" });
  note.setAttribute("aria-label", `Note on ${name.toLowerCase()}`);
  row.append(element("legend", { textContent: name }), choices, note);
  return row;
}

function element(name, properties = {}) { return Object.assign(document.createElement(name), properties); }

// What is being typed survives a turn to another candidate and back.
function jot(event) {
  if (event.target.matches("[type=text]")) (unsaid[label] ??= {})[event.target.closest("fieldset").dataset.component] = event.target.value;
}

function keep(event) {
  const row = event.target.closest("fieldset"), candidate = label;
  const finding = row.querySelector(":checked")?.value, note = row.querySelector("[type=text]").value;
  if (!finding) { say("Choose a finding, and the note is kept with it. Until then it stands on this page alone."); return; }
  keeping = keeping.then(() => send(row, candidate, { finding, note })); // one after another: the last word stands
}

async function send(row, candidate, kept) {
  const code = row.dataset.component;
  const answer = await fetch(`/viewer/checklist/${candidate}/${code}`, {
    method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(kept),
  }).catch(() => null);
  if (answer?.status === 403) { gone(); return; }
  const name = row.querySelector("legend").textContent;
  if (answer?.status === 422) { say(`Not kept: ${name}. ${(await answer.json()).reason}`); return; }
  if (!answer?.ok) { say(`Not kept: ${name}. Choose it again in a minute.`); return; }
  (sheet.noted[candidate] ??= {})[code] = kept;
  if (unsaid[candidate]?.[code] === kept.note) delete unsaid[candidate][code];
  say(`Kept: ${name}.`);
}

function say(what) {
  const done = Object.keys(sheet.noted[label] ?? {}).length;
  progress.textContent = `${done} of ${sheet.components.length} components compared. ${what}`;
}
