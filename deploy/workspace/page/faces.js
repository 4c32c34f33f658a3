// Who is who, and who this tab is.
import { h, icon, menu } from "./dom.js";

export function avatar(user, size = "") {
  if (!user) return h("span.avatar", { class: size });
  return h("img.avatar", { class: size, src: `/_ui/avatars/${user.id}.svg`, alt: "" });
}

export function chooser(root, known, become) {
  document.title = known.team;
  const tell = { "face-requesters": "asks", "face-examiners": "examines", "face-supervisors": "supervises", "face-executives": "permits", "face-auditors": "audits" };
  const card = (p) => h("button.person", { type: "button", disabled: p.deactivated, onclick: () => { location.hash = `as=${p.name}`; become(p.name); } },
    avatar(p, "large"), h("span.person-words", {}, h("strong", {}, p.real_name), h("span", {}, p.title),
      h("span.roles", {}, p.groups.map((g) => h("span.role", { class: g }, tell[g] || g)), p.deactivated ? h("span.role", {}, "deactivated") : null)));
  root.replaceChildren(h("main.chooser", { id: "stage", tabIndex: -1 },
    h("header", {}, h("img", { src: "/page/icon.svg", alt: "" }), h("h1", {}, known.team), h("p", {}, "A local workspace. Choose who you are in this tab; open another tab to be somebody else at the same time.")),
    h("div.persons", {}, known.people.map(card)),
    h("p.small", {}, "Everybody here is made up. An answer of this system is an investigative lead only, never an identification.")));
}

export function personMenu(anchor, S) {
  const others = [...S.users.values()].filter((u) => !u.is_bot && !u.deleted && u.id !== "USLACKBOT" && u.id !== S.me.id);
  menu(anchor, [{ heading: "Open a tab as…" },
    ...others.map((u) => ({ label: u.profile.real_name, hint: u.profile.title, icon: "people", do: () => window.open(`/#as=${u.name}`, "_blank") })),
    { heading: "This tab" },
    { label: "Be somebody else here", icon: "back", do: () => { sessionStorage.removeItem("as"); location.hash = ""; location.reload(); } }]);
}

export function themeButton() {
  const names = { "": "Follow the system", light: "Light", dark: "Dark" };
  const node = h("button.icon-button", { type: "button", "aria-label": "Light or dark", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("sun"));
  node.onclick = () => menu(node, Object.entries(names).map(([key, label]) => ({ label, do: () => { localStorage.setItem("theme", key); document.documentElement.dataset.theme = key; } })));
  return node;
}
