// The page: who you are, which channels you are in, what stands there. Each tab is one person.
import { h, icon, toast } from "./dom.js";
import { ask, follow, people, useSession } from "./net.js";
import { know } from "./mrkdwn.js";
import { knowWorld } from "./blocks.js";
import { showViews } from "./views.js";
import { Pane } from "./pane.js";
import { homeTab } from "./home.js";
import { guideRail } from "./guide.js";
import { avatar, chooser, personMenu, themeButton } from "./faces.js";

const root = document.getElementById("root");
const S = { me: null, team: {}, app: {}, users: new Map(), channels: [], joinable: [], commands: [], shortcuts: [], guide: {}, messages: new Map(), place: null, thread: null, tab: "messages", home: null, online: true };
const words = () => new URLSearchParams(location.hash.slice(1));
const waiting = [];
const narrow = matchMedia("(max-width: 760px)");

start();

async function start() {
  document.documentElement.dataset.theme = localStorage.getItem("theme") || "";
  const wanted = words().get("as") || sessionStorage.getItem("as");
  const known = await people();
  const person = known.people.find((p) => (p.name === wanted || p.name.split(".")[0] === wanted) && !p.deactivated);
  if (!person) return chooser(root, known, become);
  await become(person.name);
}

async function become(name) {
  try {
    const { session } = await ask("session", { person: name });
    sessionStorage.setItem("as", name);
    useSession(session);
  } catch (error) { return toast(error.message, "bad"); }
  // Listening starts before looking, so that nothing falls between the two.
  await follow((news) => { if (bar) hear(news); else waiting.push(news); });
  await load();
  const place = words().get("channel"), found = place && S.channels.find((c) => c.name === place || c.id === place);
  frame();
  waiting.splice(0).forEach(hear);
  if (place === "home") open("home");
  else if (found) await open(found.id, words().get("thread"));
  else if (narrow.matches) mark("");
  else await open((S.channels.find((c) => c.name) || S.channels[0])?.id);
}

async function load() {
  const boot = await ask("boot");
  Object.assign(S, { me: boot.me, team: boot.team, app: boot.app, channels: boot.channels, joinable: boot.joinable, commands: boot.commands, shortcuts: boot.shortcuts, guide: boot.guide });
  S.users = new Map(boot.users.map((u) => [u.id, u]));
  know(boot.users, boot.channels, boot.groups);
  knowWorld(boot.users, boot.channels);
  document.title = `${boot.me.profile.real_name} · ${boot.team.name}`;
  showViews(boot.views);
}

// -- live news -------------------------------------------------------------------------------------------------

const hearing = {
  message({ message }) {
    const room = S.messages.get(message.channel);
    room?.set(message.ts, message);
    if (!S.channels.some((c) => c.id === message.channel)) return refresh();
    unread(message);
    main?.show(message);
    side?.show(message);
  },
  deleted({ channel, ts }) { S.messages.get(channel)?.delete(ts); main?.drop(channel, ts); side?.drop(channel, ts); },
  views({ views }) { showViews(views); },
  home({ view }) { S.home = view; S.homeHeard = true; if (S.place === "home" && S.tab === "home") drawHome(); },
  channels() { refresh(); },
  guide({ guide }) { S.guide = guide; drawGuide(); },
  online() { S.online = true; document.body.classList.remove("offline"); },
  offline() { S.online = false; document.body.classList.add("offline"); },
  async reload() { await load(); S.messages.clear(); drawBar(); drawGuide(); if (S.place && S.place !== "home") await open(S.place, S.thread); },
};
function hear(news) { hearing[news.type]?.(news); }

function unread(message) {
  const channel = S.channels.find((c) => c.id === message.channel);
  const fresh = message.ts > channel.latest;
  if (!fresh || message.user === S.me.id || message.is_ephemeral) { if (fresh) channel.latest = message.ts; return; }
  channel.latest = message.ts;
  if (message.thread_ts && message.thread_ts !== message.ts && message.parent_user_id !== S.me.id) return; // a thread of others
  if (S.place === channel.id && document.visibilityState === "visible") ask("read", { channel: channel.id, ts: message.ts }).catch(() => {});
  else channel.unread += 1;
  drawBar();
}

async function refresh() {
  const boot = await ask("boot");
  Object.assign(S, { channels: boot.channels, joinable: boot.joinable });
  S.users = new Map(boot.users.map((u) => [u.id, u]));
  know(boot.users, boot.channels, boot.groups);
  drawBar();
  if (S.place && S.place !== "home" && !S.channels.some((c) => c.id === S.place)) { toast("You are not in that channel any more."); open(S.channels[0]?.id); }
}

// -- the frame -------------------------------------------------------------------------------------------------

let bar, stage, sidePane, rail, main = null, side = null;

function frame() {
  bar = h("nav.bar", { "aria-label": "Channels" });
  stage = h("main.stage", { id: "stage", tabIndex: -1 });
  sidePane = h("aside.side", { "aria-label": "Thread", hidden: true });
  rail = h("aside.rail", { "aria-label": "Guide", hidden: true });
  root.replaceChildren(h("div.frame", {}, bar, stage, sidePane, rail));
  drawBar();
  drawGuide();
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && side && !document.querySelector("dialog[open], .menu")) closeThread();
    if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) { event.preventDefault(); step(event.key === "ArrowDown" ? 1 : -1); }
  });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible" && main) { main.read(); main.channel.unread = 0; drawBar(); } });
}

function step(by) {
  const list = ["home", ...S.channels.filter((c) => c.name).map((c) => c.id)];
  open(list[(list.indexOf(S.place) + by + list.length) % list.length]);
}

function drawBar() {
  const dms = S.channels.filter((c) => c.is_im && c.user !== S.app.user && S.messages.get(c.id)?.size !== 0 && c.latest !== "0");
  const direct = S.channels.find((c) => c.is_im && c.user === S.app.user);
  const row = (key, mark, label, unreadCount, extra) => h("li", {}, h("button.place", { type: "button", class: unreadCount ? "unread" : "", "aria-current": S.place === key ? "page" : undefined, onclick: () => open(key) }, mark, h("span.place-name", {}, label), unreadCount ? h("span.badge", { "aria-label": `${unreadCount} unread` }, unreadCount) : extra));
  const me = h("button.me", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", title: "Who you are" }, avatar(S.me, "small"), h("span", {}, h("strong", {}, S.me.profile.real_name), h("small", {}, S.me.profile.title)));
  me.onclick = () => personMenu(me, S);
  bar.replaceChildren(
    h("div.bar-head", {}, h("div.team", {}, h("img", { src: "/page/icon.svg", alt: "" }), h("strong", {}, S.team.name)), themeButton()),
    h("div.bar-body", {},
      h("h2.bar-title", {}, "Channels"),
      h("ul", {}, S.channels.filter((c) => c.name).map((c) => row(c.id, icon(c.is_private ? "lock" : "hash"), c.name, c.unread))),
      S.joinable.length ? [h("h2.bar-title", {}, "You could join"), h("ul", {}, S.joinable.map((c) => h("li", {}, h("button.place", { type: "button", onclick: async () => { await ask("join", { channel: c.id }); await refresh(); open(c.id); } }, icon("plus"), h("span.place-name", {}, c.name)))))] : null,
      h("h2.bar-title", {}, "Apps"),
      h("ul", {}, row("home", h("img.app-mark", { src: "/page/icon.svg", alt: "" }), S.app.name, direct?.unread || 0)),
      dms.length ? [h("h2.bar-title", {}, "Direct messages"), h("ul", {}, dms.map((c) => row(c.id, avatar(S.users.get(c.user), "tiny"), S.users.get(c.user)?.profile.real_name || "Somebody", c.unread)))] : null),
    h("div.bar-foot", {}, me));
}

function drawGuide() {
  const present = Boolean(S.guide && (S.guide.steps?.length || S.guide.ledger?.length));
  rail.hidden = !present;
  if (!present || !root.firstChild.dataset.rail) root.firstChild.classList.toggle("with-rail", present && innerWidth > 1180 && localStorage.getItem("rail") !== "closed");
  root.firstChild.dataset.rail = present ? "known" : "";
  if (present) guideRail(rail, S, root.firstChild);
}

function mark(pane) { root.firstChild.dataset.pane = pane; }

function remember() {
  const at = new URLSearchParams({ as: S.me.name });
  const channel = S.channels.find((c) => c.id === S.place);
  if (S.place) at.set("channel", S.place === "home" ? "home" : channel?.name || S.place);
  if (S.thread) at.set("thread", S.thread);
  history.replaceState(null, "", "#" + at);
}

// -- places ----------------------------------------------------------------------------------------------------

async function open(key, thread) {
  if (!key) return stage.replaceChildren(h("p.empty", {}, "You are in no channel yet. Somebody has to invite you."));
  if (key === "home") return openApp();
  const channel = S.channels.find((c) => c.id === key);
  closeThread(true);
  S.place = key;
  mark("stage");
  await fetchRoom(channel);
  if (S.place !== key) return;
  main = new Pane(S, channel, null, { open, openThread });
  stage.replaceChildren(main.node);
  main.ready();
  channel.unread = 0;
  drawBar();
  if (thread) await openThread(thread);
  remember();
}

async function fetchRoom(channel) {
  if (!S.messages.has(channel.id)) S.messages.set(channel.id, new Map());
  const { messages } = await ask("messages", { channel: channel.id });
  for (const m of messages) S.messages.get(channel.id).set(m.ts, m);
}

async function openThread(ts) {
  const channel = S.channels.find((c) => c.id === S.place) || S.channels.find((c) => c.is_im && c.user === S.app.user);
  const { messages } = await ask("messages", { channel: channel.id, thread_ts: ts });
  for (const m of messages) S.messages.get(channel.id).set(m.ts, m);
  S.thread = ts;
  side = new Pane(S, channel, ts, { open, openThread, closeThread });
  sidePane.replaceChildren(side.node);
  sidePane.hidden = false;
  mark("side");
  side.ready();
  remember();
}

function closeThread(silently) {
  side = null;
  S.thread = null;
  sidePane.hidden = true;
  sidePane.replaceChildren();
  if (!silently) { mark("stage"); remember(); main?.focus(); }
}

async function openApp() {
  closeThread(true);
  S.place = "home";
  mark("stage");
  S.homeHeard = false;
  const { view, direct } = await ask("home", { announce: true });
  if (!S.homeHeard) S.home = view; // the app may have answered before this did
  if (!S.channels.some((c) => c.id === direct)) await refresh();
  drawHome(direct);
  drawBar();
  remember();
}

let directId = "";
async function drawHome(direct = directId) {
  directId = direct;
  const channel = S.channels.find((c) => c.id === direct);
  main = null;
  const pick = async (tab) => { S.tab = tab; await drawHome(); stage.querySelector(`[data-tab=${tab}]`)?.focus(); };
  const tabs = h("div.tabs", { role: "tablist", "aria-label": S.app.name }, ["home", "messages"].map((t) => h("button.tab", { type: "button", role: "tab", id: `tab-${t}`, data: { tab: t }, "aria-selected": String(S.tab === t), "aria-controls": "app-panel", tabIndex: S.tab === t ? 0 : -1, onclick: () => pick(t), onkeydown: (event) => { if (/^Arrow(Left|Right)$/.test(event.key)) pick(t === "home" ? "messages" : "home"); } }, t === "home" ? "Home" : "Messages")));
  const back = h("button.icon-button.only-narrow", { type: "button", "aria-label": "Channels", onclick: () => mark("") }, icon("back"));
  const head = h("header.pane-head.app-head", {}, back, h("img.app-mark", { src: "/page/icon.svg", alt: "" }), h("h1", {}, S.app.name), h("span.tag", {}, "App"), tabs);
  if (S.tab === "home" || !channel) return stage.replaceChildren(h("section.pane", {}, head, h("div.pane-body", { role: "tabpanel", id: "app-panel", "aria-labelledby": "tab-home", tabIndex: 0 }, homeTab(S.home, S))));
  await fetchRoom(channel);
  main = new Pane(S, channel, null, { open, openThread, head });
  stage.replaceChildren(main.node);
  main.ready();
  channel.unread = 0;
  drawBar();
}

S.tab = "home";
window.addEventListener("pane-back", () => mark(""));
