// Elements without markup strings: nothing a person typed is ever parsed as HTML.

export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className += " " + value;
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key in node && !key.startsWith("aria") && key !== "list" && key !== "form" && !(key === "type" && name === "textarea")) node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

const PATHS = {
  hash: "M9 4 7 20M17 4l-2 16M4 9h17M3 15h17",
  lock: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
  reply: "M4 5h16v11H9l-5 4z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  bolt: "M13 3 5 14h6l-1 7 8-11h-6z",
  close: "M6 6l12 12M18 6 6 18",
  back: "M15 5l-7 7 7 7",
  attach: "M20 11l-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 5 5l-8.500 8.500a1.700 1.700 0 0 1-2.500-2.500L15 7",
  camera: "M4 8h4l2-3h4l2 3h4v11H4zM12 17a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7z",
  send: "M4 20 21 12 4 4l2 8zM6 12h8",
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
  compass: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM15.500 8.500l-2 5-5 2 2-5z",
  sun: "M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM12 1v3M12 20v3M1 12h3M20 12h3M4 4l2 2M18 18l2 2M20 4l-2 2M4 20l2-2",
  edit: "M4 20h4L20 8l-4-4L4 16z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 14c2 3 6 3 8 0M9 9.500h.01M15 9.500h.01",
  people: "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2 20c0-4 3-6 7-6s7 2 7 6M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.500c2.500.7 4 2.500 4 5.500",
  check: "M5 12l5 5 9-10",
  ledger: "M6 3h12v18H6zM9 8h6M9 12h6M9 16h4",
  warn: "M12 4 2.500 20h19zM12 10v5M12 17.500h.01",
  plus: "M12 5v14M5 12h14",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  down: "M6 9l6 6 6-6",
};

export function icon(name, label) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", label ? "false" : "true");
  if (label) { svg.setAttribute("role", "img"); svg.setAttribute("aria-label", label); }
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

export function toast(text, kind = "") {
  const node = h("div.toast", { class: kind }, text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), 6000);
}

// One menu at a time, closed by Escape, by a click elsewhere, or by a choice; arrows move in it.
export function menu(anchor, items) {
  document.querySelector(".menu")?.remove();
  const close = () => { list.remove(); document.removeEventListener("pointerdown", outside, true); anchor.setAttribute("aria-expanded", "false"); };
  const outside = (event) => { if (!list.contains(event.target) && event.target !== anchor) close(); };
  const list = h("div.menu", { role: "menu", tabIndex: -1 }, items.filter(Boolean).map((item) =>
    item.heading ? h("div.menu-heading", { role: "presentation" }, item.heading)
      : h("button.menu-item", { type: "button", role: "menuitem", class: item.danger ? "danger" : "", onclick: () => { close(); anchor.focus(); item.do(); } },
        item.icon ? icon(item.icon) : null, h("span", {}, h("span", {}, item.label), item.hint ? h("small", {}, item.hint) : null))));
  list.addEventListener("keydown", (event) => {
    const all = [...list.querySelectorAll("button")];
    const at = all.indexOf(document.activeElement);
    if (event.key === "Escape") { event.stopPropagation(); event.preventDefault(); close(); anchor.focus(); }
    if (event.key === "ArrowDown") { event.preventDefault(); all[(at + 1) % all.length].focus(); }
    if (event.key === "ArrowUp") { event.preventDefault(); all[(at - 1 + all.length) % all.length].focus(); }
    if (event.key === "Tab") close();
  });
  (anchor.closest("dialog") || document.body).append(list);
  const box = anchor.getBoundingClientRect(), own = list.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.right - own.width, innerWidth - own.width - 8));
  const top = box.bottom + own.height + 8 > innerHeight ? Math.max(8, box.top - own.height - 4) : box.bottom + 4;
  list.style.left = `${left}px`;
  list.style.top = `${top}px`;
  anchor.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  list.querySelector("button")?.focus();
}
