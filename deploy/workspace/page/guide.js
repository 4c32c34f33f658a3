// The guide rail: what to do next as each person, and what the ledger just recorded. The demonstration feeds it.
import { h, icon, toast } from "./dom.js";
import { avatar } from "./faces.js";
import { enrolMe } from "./net.js";

export function guideRail(rail, S, frame) {
  const g = S.guide, steps = g.steps || [];
  const open = frame.classList.contains("with-rail");
  const toggle = () => { if (innerWidth > 1180) localStorage.setItem("rail", open ? "closed" : "open"); frame.classList.toggle("with-rail"); guideRail(rail, S, frame); };
  const next = steps.findIndex((s) => !s.done);
  rail.classList.toggle("open", open);
  if (!open) return rail.replaceChildren(h("button.rail-tab", { type: "button", onclick: toggle, "aria-expanded": "false" }, icon("compass"), h("span", {}, "Guide"), next >= 0 ? h("span.badge", {}, steps.length - steps.filter((s) => s.done).length) : null));
  const typing = kept?.form.contains(document.activeElement) ? document.activeElement : null;
  rail.replaceChildren(
    h("header.rail-head", {}, icon("compass"), h("h2", {}, g.title || "What to do next"), h("button.icon-button", { type: "button", "aria-label": "Close the guide", onclick: toggle }, icon("close"))),
    h("div.rail-body", { tabIndex: 0, role: "region", "aria-label": "Guide" },
      g.intro ? h("p.small", {}, g.intro) : null,
      h("ol.steps", {}, steps.map((s, i) => step(s, i === next, S))),
      g.enrol ? enrol(g.enrol) : null,
      g.ledger ? [h("h2.rail-title", {}, icon("ledger"), "The ledger"), h("ol.ledger", { reversed: true }, [...g.ledger].reverse().slice(0, 40).map(entry))] : null));
  typing?.focus({ preventScroll: true });
}

function step(s, now, S) {
  const who = [...S.users.values()].find((u) => u.name === s.person);
  const mine = who?.id === S.me.id;
  const go = !s.done && who && !mine ? h("a.btn.small", { href: `/#as=${who.name}${s.channel ? `&channel=${s.channel}` : ""}`, target: "_blank", rel: "opener" }, `Open a tab as ${who.profile.first_name}`) : null;
  return h("li.step", { class: s.done ? "done" : now ? "now" : "", "aria-current": now ? "step" : undefined },
    h("span.step-mark", {}, s.done ? icon("check", "Done") : null),
    h("div", {}, h("div.step-who", {}, who ? [avatar(who, "tiny"), h("span", {}, mine ? "You" : who.profile.real_name)] : null), h("strong", {}, s.title), s.text ? h("p", {}, s.text) : null, now ? go : null));
}

function entry(e) {
  return h("li.entry", {}, h("span.entry-head", {}, e.seq !== undefined ? h("code", {}, `#${e.seq}`) : null, h("strong", {}, e.what), h("time", {}, e.at || "")), h("span.entry-who", {}, [e.who, e.detail].filter(Boolean).join(" · ")));
}

// Putting oneself into the gallery: a name and a picture, from a file or the camera; the demonstration takes it from there.
// The rail is drawn anew with every ledger entry; this form is not, or what was typed into it would be lost.
let kept = null;

function enrol(e) {
  if (kept?.url !== e.url) kept = { url: e.url, form: enrolForm(e) };
  return kept.form;
}

function enrolForm(e) {
  const name = h("input.field-control", { id: "enrol-name", maxLength: 60, placeholder: "A name for you", autocomplete: "off" });
  const file = h("input.field-control", { id: "enrol-file", type: "file", accept: "image/*" });
  const out = h("p.small", { role: "status" });
  const button = h("button.btn.primary.small", { type: "submit" }, e.label || "Put me in the gallery");
  return h("form.enrol", { onsubmit: async (event) => {
    event.preventDefault();
    if (!file.files[0] || !name.value.trim()) { out.textContent = "A name and a picture are needed."; return; }
    button.disabled = true;
    const form = new FormData();
    form.append("name", name.value.trim());
    form.append("file", file.files[0]);
    try {
      const said = await enrolMe(form);
      out.textContent = said.message || (said.ok ? "Done." : said.error);
    } catch { toast("The gallery does not answer.", "bad"); }
    button.disabled = false;
  } }, h("h2.rail-title", {}, icon("camera"), e.title || "Try it with your own face"), e.hint ? h("p.small", {}, e.hint) : null,
    h("label", { htmlFor: "enrol-name" }, "Name"), name, h("label", { htmlFor: "enrol-file" }, "Picture"), file, button, out);
}
