// Modals: one dialog, the top of the stack in it. What was typed stays when the app updates the view.
import { h, icon, toast } from "./dom.js";
import { ask } from "./net.js";
import { textObject } from "./mrkdwn.js";
import { blocks, Form } from "./blocks.js";

let dialog = null, shown = "", form = null, drafts = new Map();

export function showViews(views) {
  const top = views[views.length - 1];
  if (!top) { dialog?.close(); dialog?.remove(); dialog = null; shown = ""; drafts.clear(); return; }
  if (shown === top.id + top.hash) return;
  if (form && dialog) drafts.set(dialog.dataset.view, remember());
  shown = top.id + top.hash;
  if (!dialog) {
    dialog = h("dialog.modal", { oncancel: (event) => { event.preventDefault(); closeTop(); } });
    document.body.append(dialog);
    dialog.showModal();
  }
  draw(top, views.length);
}

function remember() { return Object.fromEntries(form.kept.map((k) => [`${k.block}/${k.action}`, k.widget.get()])); }

function draw(view, depth) {
  form = new Form();
  const draft = drafts.get(view.id) || {};
  const at = {
    form,
    act: (b, e, value) => ask("act", { view_id: view.id, block_id: b.block_id, action_id: e.action_id, value, values: form.get() }),
    suggest: async (b, e, value) => (await ask("suggest", { view_id: view.id, block_id: b.block_id, action_id: e.action_id, value })).options,
    value: (b, e) => known(view, b, e, draft[`${b.block_id}/${e.action_id}`]),
  };
  dialog.dataset.view = view.id;
  dialog.setAttribute("aria-labelledby", "modal-title");
  const trouble = h("div.trouble", { role: "alert", hidden: true });
  const submit = view.submit ? h("button.btn.primary", { type: "submit" }, textObject(view.submit)) : null;
  const body = h("form.modal-form", { noValidate: true, onsubmit: (event) => { event.preventDefault(); send(view, submit, trouble); } },
    h("header.modal-head", {},
      depth > 1 ? h("button.icon-button", { type: "button", "aria-label": "Back", onclick: closeTop }, icon("back")) : h("img.app-mark", { src: "/page/icon.svg", alt: "" }),
      h("h2", { id: "modal-title" }, textObject(view.title)),
      h("button.icon-button", { type: "button", "aria-label": "Close", onclick: closeAll }, icon("close"))),
    h("div.modal-body", { tabIndex: -1 }, trouble, blocks(view.blocks, at)),
    view.submit || view.close ? h("footer.modal-foot", {}, h("button.btn", { type: "button", onclick: closeTop }, view.close ? textObject(view.close) : "Cancel"), submit) : null);
  dialog.replaceChildren(body);
  (dialog.querySelector(".modal-body .field-control, .modal-body input, .modal-body button") || dialog.querySelector(".modal-body")).focus();
}

// What Slack remembers of the element, or what this person had typed before the app redrew the form.
function known(view, b, e, draft) {
  const state = view.state.values[b.block_id]?.[e.action_id];
  if (draft === undefined || draft === null) return state;
  const options = (e.options || e.option_groups?.flatMap((g) => g.options) || []);
  if (Array.isArray(draft)) return e.type === "file_input" ? state : { ...state, selected_options: options.filter((o) => draft.includes(o.value)), selected_users: draft };
  return { value: draft, selected_option: options.find((o) => o.value === draft) || state?.selected_option, selected_date: draft, selected_time: draft, selected_user: draft, selected_date_time: draft };
}

async function send(view, button, trouble) {
  if (!button || button.disabled) return;
  button.disabled = true;
  trouble.hidden = true;
  try {
    const sent = form, said = await ask("submit", { view_id: view.id, values: sent.get() });
    if (Object.keys(said.errors).length) sent.blame(said.errors);
    else { if (form === sent) form = null; showViews(said.views); } // the answer's own form may stand there already
  } catch (error) { trouble.hidden = false; trouble.replaceChildren(icon("warn"), error.message); }
  button.disabled = false;
}

async function closeTop() { try { showViews((await ask("close")).views); } catch (error) { toast(error.message, "bad"); } }
async function closeAll() { try { showViews((await ask("close", { everything: true })).views); } catch (error) { toast(error.message, "bad"); } }
