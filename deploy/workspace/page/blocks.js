// Block Kit as Slack draws it. `at` says where the blocks stand and what a click does:
//   at.act(block, element, value)  somebody acted        at.file(id, size)  address of a picture
//   at.form                        collects the inputs of a view: form.get() gives values by block id
import { h, icon, menu, toast } from "./dom.js";
import { fileAddress, upload } from "./net.js";
import { mrkdwn, richText, textObject } from "./mrkdwn.js";

let world = { users: [], channels: [] };
export function knowWorld(users, channels) { world = { users, channels }; }
let serial = 0;

export function blocks(list, at) { return (list || []).map((b) => h("div.block", { class: `block-${b.type}`, data: { block: b.block_id || "" } }, block(b, at))); }

function block(b, at) {
  switch (b.type) {
    case "section": return section(b, at);
    case "header": return h("h2.header", {}, textObject(b.text));
    case "divider": return h("hr");
    case "context": return h("div.context", {}, b.elements.map((e) => (e.type === "image" ? picture(e, at, "context-image") : h("span.context-text", {}, textObject(e)))));
    case "actions": return h("div.actions", {}, b.elements.map((e) => element(b, e, at)));
    case "image": return h("figure.image", {}, b.title ? h("figcaption", {}, textObject(b.title)) : null, picture(b, at, "big"));
    case "rich_text": return richText(b);
    case "markdown": return h("div", {}, mrkdwn(b.text));
    case "input": return input(b, at);
    default: return h("em.unknown", {}, `A ${b.type} block`);
  }
}

function section(b, at) {
  const body = [b.text ? h("div.text", {}, textObject(b.text)) : null,
    b.fields ? h("div.fields", {}, b.fields.map((f) => h("div.field", {}, textObject(f)))) : null];
  if (!b.accessory) return h("div.section", {}, body);
  const side = b.accessory.type === "image" ? picture(b.accessory, at, "thumb") : element(b, b.accessory, at);
  const wide = ["checkboxes", "radio_buttons"].includes(b.accessory.type);
  return h("div.section.with-accessory", { class: wide ? "wide" : "" }, h("div.section-body", {}, body), h("div.accessory", {}, side));
}

function fileOf(reference) { return reference.id || (reference.url || "").split("/").find((p) => /^T\w+-F/.test(p))?.split("-")[1]; }

function picture(e, at, kind) {
  const address = e.slack_file ? fileAddress(fileOf(e.slack_file), kind === "big" ? 720 : 360) : e.image_url;
  const local = e.slack_file || new URL(address, location.href).origin === location.origin;
  const missing = () => h("div.no-image", { role: "img", "aria-label": e.alt_text }, icon("file"), h("span", {}, e.alt_text || "Picture"));
  if (!local) return missing();
  const image = h("img", { src: address, alt: e.alt_text, class: kind, loading: "lazy", onload: () => frame.classList.remove("waiting"), onerror: () => frame.replaceChildren(missing()) });
  const frame = h("button.picture.waiting", { type: "button", class: kind, "aria-label": `Enlarge: ${e.alt_text || "picture"}`, onclick: () => enlarge(e.slack_file ? fileAddress(fileOf(e.slack_file)) : address, e.alt_text) }, image);
  return frame;
}

export function enlarge(address, words) {
  const dialog = h("dialog.lightbox", { "aria-label": words || "Picture", onclick: () => dialog.close(), onclose: () => dialog.remove() },
    h("img", { src: address, alt: words || "" }), h("p", {}, words || ""), h("button.icon-button", { type: "button", "aria-label": "Close" }, icon("close")));
  document.body.append(dialog);
  dialog.showModal();
}

// -- elements that act at once ---------------------------------------------------------------------------------

function confirmed(confirm, then) {
  if (!confirm) return then();
  const dialog = h("dialog.confirm", { "aria-labelledby": "confirm-title", onclose: () => dialog.remove() },
    h("h2", { id: "confirm-title" }, textObject(confirm.title)), h("div.confirm-text", {}, textObject(confirm.text)),
    h("div.row.end", {},
      h("button.btn", { type: "button", onclick: () => dialog.close() }, textObject(confirm.deny)),
      h("button.btn", { type: "button", class: confirm.style === "danger" ? "danger" : "primary", onclick: () => { dialog.close(); then(); } }, textObject(confirm.confirm))));
  document.body.append(dialog);
  dialog.showModal();
}

async function act(node, b, e, at, value) {
  node.classList.add("busy");
  node.setAttribute("aria-busy", "true");
  try { await at.act(b, e, value); } catch (error) {
    node.classList.add("failed");
    setTimeout(() => node.classList.remove("failed"), 3000);
    toast(error.message, "bad");
  }
  node.classList.remove("busy");
  node.removeAttribute("aria-busy");
}

function element(b, e, at) {
  if (e.type === "button") {
    const press = (event) => { const node = event.currentTarget; if (!node.classList.contains("busy")) confirmed(e.confirm, () => act(node, b, e, at)); };
    if (e.url) return h("a.btn", { href: e.url, target: "_blank", rel: "noopener noreferrer", class: e.style || "", onclick: press }, textObject(e.text));
    return h("button.btn", { type: "button", class: e.style || "", "aria-label": e.accessibility_label, onclick: press, data: { action: e.action_id } }, textObject(e.text));
  }
  if (e.type === "overflow") {
    const node = h("button.btn.overflow", { type: "button", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false", data: { action: e.action_id } }, icon("more"));
    node.onclick = () => menu(node, e.options.map((o) => ({ label: textObject(o.text)[0], hint: o.description?.text, do: () => confirmed(e.confirm, () => act(node, b, e, at, o.value)) })));
    return node;
  }
  const widget = control(e, at.value?.(b, e), b.text?.text || e.placeholder?.text || "Choose", b, at);
  widget.listen(() => confirmed(e.confirm, () => act(widget.node, b, e, at, widget.get())));
  at.form?.keep(b, e, widget);
  return widget.node;
}

// -- inputs ----------------------------------------------------------------------------------------------------

function input(b, at) {
  const id = `in${++serial}`, e = b.element, several = ["checkboxes", "radio_buttons", "file_input"].includes(e.type) || e.type.startsWith("multi_");
  const widget = control(e, at.value?.(b, e), b.label.text, b, at, id);
  const problem = h("div.problem", { id: `${id}p`, role: "alert", hidden: true });
  const hint = b.hint ? h("div.hint", { id: `${id}h` }, textObject(b.hint)) : null;
  const label = [textObject(b.label), b.optional ? h("span.optional", {}, " (optional)") : null];
  const described = [hint ? `${id}h` : "", `${id}p`].filter(Boolean).join(" ");
  const target = widget.focus || widget.node;
  target.setAttribute("aria-describedby", described);
  if (!b.optional && !several) target.setAttribute("aria-required", "true");
  at.form?.keep(b, e, widget, (text) => {
    problem.hidden = !text;
    problem.replaceChildren(...(text ? [icon("warn"), text] : []));
    target.setAttribute("aria-invalid", text ? "true" : "false");
    if (text) target.focus();
  });
  if (b.dispatch_action) widget.listen(() => act(widget.node, b, e, at, widget.get()), e.dispatch_action_config);
  if (e.focus_on_load) setTimeout(() => target.focus(), 50);
  return several
    ? h("fieldset.input", {}, h("legend", {}, label), widget.node, hint, problem)
    : h("div.input", {}, h("label", { htmlFor: id }, label), widget.node, hint, problem);
}

const options = (e) => (e.option_groups ? e.option_groups.flatMap((g) => g.options) : e.options || []);

// A widget: its node, get() its simple value, listen(f) for changes. `known` is the state Slack remembers.
function control(e, known, name, b, at, id) {
  const extra = { id, "aria-label": id ? undefined : name };
  switch (e.type) {
    case "plain_text_input": return typed(e, known, extra, e.multiline ? "textarea" : "input", { type: "text", maxLength: e.max_length || 3000 });
    case "email_text_input": return typed(e, known, extra, "input", { type: "email" });
    case "url_text_input": return typed(e, known, extra, "input", { type: "url" });
    case "number_input": return typed(e, known, extra, "input", { type: "text", inputMode: e.is_decimal_allowed ? "decimal" : "numeric" });
    case "rich_text_input": return rich(e, extra);
    case "datepicker": return typed(e, known, extra, "input", { type: "date" }, known?.selected_date ?? e.initial_date);
    case "timepicker": return typed(e, known, extra, "input", { type: "time" }, known?.selected_time ?? e.initial_time);
    case "datetimepicker": return moment(e, known, extra);
    case "static_select": return chosen(e, extra, e.option_groups ? e.option_groups.map((g) => [g.label.text, g.options.map(pair)]) : [["", e.options.map(pair)]], known?.selected_option?.value ?? e.initial_option?.value);
    case "users_select": return chosen(e, extra, [["", persons()]], known?.selected_user ?? e.initial_user);
    case "conversations_select": case "channels_select": return chosen(e, extra, [["", rooms()]], known?.selected_conversation ?? known?.selected_channel ?? e.initial_conversation ?? e.initial_channel);
    case "radio_buttons": return ticks(e, "radio", known?.selected_option ? [known.selected_option.value] : known ? [] : e.initial_option ? [e.initial_option.value] : []);
    case "checkboxes": return ticks(e, "checkbox", (known?.selected_options ?? e.initial_options ?? []).map((o) => o.value));
    case "multi_static_select": return several(e, extra, options(e).map(pair), (known?.selected_options ?? e.initial_options ?? []).map((o) => o.value));
    case "multi_users_select": return several(e, extra, persons(), known?.selected_users ?? e.initial_users ?? []);
    case "multi_conversations_select": case "multi_channels_select": return several(e, extra, rooms(), known?.selected_conversations ?? known?.selected_channels ?? e.initial_conversations ?? []);
    case "external_select": case "multi_external_select": return searched(e, extra, known, b, at);
    case "file_input": return filed(e, known, extra);
    default: return { node: h("em", {}, e.type), get: () => null, listen() {} };
  }
}
const pair = (o) => [o.value, o.text.text, o.description?.text];
const persons = () => world.users.filter((u) => !u.is_bot && !u.deleted && u.id !== "USLACKBOT").map((u) => [u.id, u.profile.real_name]);
const rooms = () => world.channels.filter((c) => c.name).map((c) => [c.id, "#" + c.name]);

function typed(e, known, extra, tag, props, given) {
  const value = given ?? known?.value ?? e.initial_value ?? "";
  const node = h(`${tag}.field-control`, { ...extra, ...props, placeholder: e.placeholder?.text || "", value });
  return { node, get: () => node.value || null, listen(f, config) {
    const on = config?.trigger_actions_on || ["on_enter_pressed"];
    if (["date", "time"].includes(node.type)) node.addEventListener("change", f);
    else if (on.includes("on_character_entered")) { let t; node.addEventListener("input", () => { clearTimeout(t); t = setTimeout(f, 300); }); }
    if (on.includes("on_enter_pressed")) node.addEventListener("keydown", (event) => { if (event.key === "Enter" && tag === "input") { event.preventDefault(); f(); } });
  } };
}
function rich(e, extra) {
  const node = h("textarea.field-control", { ...extra, placeholder: e.placeholder?.text || "" });
  return { node, get: () => node.value ? { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text: node.value }] }] } : null, listen(f) { node.addEventListener("change", f); } };
}
function moment(e, known, extra) {
  const at = known?.selected_date_time ?? e.initial_date_time;
  const local = at ? new Date(at * 1000 - new Date(at * 1000).getTimezoneOffset() * 60000).toISOString().slice(0, 16) : "";
  const node = h("input.field-control", { ...extra, type: "datetime-local", value: local });
  return { node, get: () => (node.value ? Math.floor(new Date(node.value).getTime() / 1000) : null), listen(f) { node.addEventListener("change", f); } };
}
function chosen(e, extra, groups, value) {
  const option = ([v, label]) => h("option", { value: v, selected: v === value }, label);
  const node = h("select.field-control", { ...extra, data: { action: e.action_id } }, h("option", { value: "", selected: !value }, e.placeholder?.text || "Choose an option"),
    groups.map(([label, list]) => (label ? h("optgroup", { label }, list.map(option)) : list.map(option))));
  return { node, get: () => node.value || null, listen(f) { node.addEventListener("change", f); } };
}
function ticks(e, type, values) {
  const name = `t${++serial}`;
  const inputs = e.options.map((o) => h("input", { type, name, value: o.value, checked: values.includes(o.value) }));
  const node = h("div.ticks", { data: { action: e.action_id } }, e.options.map((o, i) => h("label.tick", {}, inputs[i], h("span", {}, h("span", {}, textObject(o.text)), o.description ? h("small", {}, textObject(o.description)) : null))));
  const get = () => { const on = inputs.filter((i) => i.checked).map((i) => i.value); return type === "radio" ? on[0] ?? null : on; };
  return { node, focus: inputs[0], get, listen(f) { inputs.forEach((i) => i.addEventListener("change", f)); } };
}
function several(e, extra, list, values) {
  const inner = ticks({ ...e, options: list.map(([value, text, d]) => ({ value, text: { type: "plain_text", text }, description: d ? { type: "plain_text", text: d } : undefined })) }, "checkbox", values);
  const count = h("span", {}, "");
  const show = () => { const on = inner.get().map((v) => list.find(([k]) => k === v)?.[1]); count.textContent = on.length ? on.join(", ") : e.placeholder?.text || "Choose options"; };
  const summary = h("summary.field-control", {}, count, icon("down"));
  show();
  inner.listen(show);
  return { node: h("details.several", {}, summary, inner.node), focus: summary, get: inner.get, listen: inner.listen };
}
function searched(e, extra, known, b, at) {
  let picked = known?.selected_option ?? e.initial_option ?? null, listeners = [];
  const list = h("div.suggestions", { role: "listbox", hidden: true, id: `s${++serial}` });
  const box = h("input.field-control", { ...extra, type: "text", role: "combobox", autocomplete: "off", "aria-expanded": "false", "aria-controls": list.id, value: picked?.text?.text || "", placeholder: e.placeholder?.text || "Type to search" });
  let timer;
  box.addEventListener("input", () => { clearTimeout(timer); picked = null; timer = setTimeout(async () => {
    if (box.value.length < (e.min_query_length ?? 3)) return;
    const found = await at.suggest(b, e, box.value).catch((error) => { toast(error.message, "bad"); return []; });
    list.replaceChildren(...found.map((o) => h("button.menu-item", { type: "button", role: "option", "aria-selected": "false", onclick: () => { picked = o; box.value = o.text.text; list.hidden = true; box.setAttribute("aria-expanded", "false"); listeners.forEach((f) => f()); } }, o.text.text)));
    list.hidden = !found.length;
    box.setAttribute("aria-expanded", String(!list.hidden));
  }, 250); });
  const many = e.type.startsWith("multi_");
  return { node: h("div.searched", {}, box, list), focus: box, get: () => (many ? (picked ? [picked.value] : []) : picked?.value ?? null), listen: (f) => listeners.push(f) };
}
function filed(e, known, extra) {
  let files = known?.files ? [...known.files] : [], listeners = [];
  const list = h("ul.filed");
  const accept = (e.filetypes || []).map((t) => "." + t).join(",");
  const pick = h("input", { ...extra, type: "file", class: "sr", multiple: (e.max_files || 10) > 1, accept, onchange: () => add([...pick.files]) });
  const zone = h("div.dropzone", {}, icon("attach"), h("span", {}, "Drop a file here, or "), h("label.as-link", {}, "choose one", pick));
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => { event.preventDefault(); event.stopPropagation(); zone.classList.remove("over"); add([...event.dataTransfer.files]); });
  const show = () => list.replaceChildren(...files.map((f) => h("li", {}, f.mimetype?.startsWith("image/") ? h("img", { src: fileAddress(f.id, 80), alt: "" }) : icon("file"), h("span", {}, f.name),
    h("button.icon-button", { type: "button", "aria-label": `Remove ${f.name}`, onclick: () => { files = files.filter((x) => x.id !== f.id); show(); listeners.forEach((l) => l()); } }, icon("close")))));
  async function add(given) {
    for (const file of given.slice(0, (e.max_files || 10) - files.length)) {
      if (file.size > 10 * 1024 * 1024) { toast(`${file.name} is larger than 10 MB.`, "bad"); continue; }
      try { files.push(await upload(file)); } catch (error) { toast(error.message, "bad"); }
    }
    show();
    listeners.forEach((l) => l());
  }
  show();
  return { node: h("div", {}, zone, list), focus: pick, get: () => files.map((f) => f.id), listen: (f) => listeners.push(f) };
}

// -- the form of a view ----------------------------------------------------------------------------------------

export class Form {
  constructor() { this.kept = []; }
  keep(b, e, widget, problem) { this.kept.push({ block: b.block_id, action: e.action_id, widget, problem }); }
  // By action id where that is enough to tell them apart, by block id where an app uses one action id in several blocks.
  get() { return Object.fromEntries(this.kept.map((k) => [this.kept.filter((o) => o.action === k.action).length === 1 ? k.action : k.block, k.widget.get()])); }
  blame(errors) {
    for (const k of this.kept) k.problem?.("");
    for (const k of [...this.kept].reverse()) if (errors[k.block]) k.problem?.(errors[k.block]);
  }
}
