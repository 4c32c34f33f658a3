// A channel, or one thread of it: messages that change in place, and the composer below.
import { h, icon, menu, toast } from "./dom.js";
import { ask, fileAddress } from "./net.js";
import { emoji, mrkdwn, when } from "./mrkdwn.js";
import { blocks, enlarge, Form } from "./blocks.js";
import { avatar } from "./faces.js";
import { Composer } from "./composer.js";

const QUICK = ["+1", "eyes", "white_check_mark", "pray", "tada"];
const MINUTES_TOGETHER = 5 * 60;

export class Pane {
  constructor(S, channel, thread, go) {
    Object.assign(this, { S, channel, thread, go, nodes: new Map(), readAt: channel.last_read });
    this.list = h("div.messages", { role: "log", "aria-label": thread ? "Thread" : channel.name || "Messages", tabIndex: 0 });
    // A picture that arrives late must not push what was being read out of sight.
    this.list.addEventListener("load", () => { if (this.follows) this.list.scrollTop = this.list.scrollHeight; }, true);
    this.list.addEventListener("scroll", () => { this.follows = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 60; });
    this.follows = true;
    this.composer = new Composer(S, channel, thread);
    this.node = h("section.pane", { class: thread ? "thread" : "" }, go.head || this.head(), this.list, this.composer.node);
    this.composer.accept(this.node);
  }

  head() {
    const c = this.channel;
    if (this.thread) return h("header.pane-head", {}, h("button.icon-button.only-narrow", { type: "button", "aria-label": "Back to the channel", onclick: () => this.go.closeThread() }, icon("back")), h("h1", {}, "Thread"), h("span.pane-sub", {}, c.name ? "#" + c.name : ""), h("button.icon-button.only-wide", { type: "button", "aria-label": "Close the thread", onclick: () => this.go.closeThread() }, icon("close")));
    const other = c.is_im ? this.S.users.get(c.user) : null;
    const people = h("button.btn.small.members", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": `${c.members.length} members` }, icon("people"), c.members.length);
    people.onclick = () => menu(people, [{ heading: "In this channel" }, ...c.members.map((m) => ({ label: this.S.users.get(m)?.profile.real_name || m, hint: this.S.users.get(m)?.profile.title, do() {} })), { heading: " " }, { label: "Invite somebody…", icon: "plus", do: () => this.invite(people) }]);
    return h("header.pane-head", {}, h("button.icon-button.only-narrow", { type: "button", "aria-label": "Channels", onclick: () => window.dispatchEvent(new Event("pane-back")) }, icon("back")),
      other ? avatar(other, "tiny") : icon(c.is_private ? "lock" : "hash"), h("h1", {}, other?.profile.real_name || c.name), h("span.pane-sub", {}, c.purpose?.value || ""), c.is_im ? null : people);
  }

  invite(anchor) {
    const others = [...this.S.users.values()].filter((u) => !u.is_bot && !u.deleted && u.id !== "USLACKBOT" && !this.channel.members.includes(u.id));
    menu(anchor, others.length ? others.map((u) => ({ label: u.profile.real_name, hint: u.profile.title, icon: "plus", do: () => ask("invite", { channel: this.channel.id, person: u.id }).catch((e) => toast(e.message, "bad")) })) : [{ label: "Everybody is here", do() {} }]);
  }

  // -- what stands here ------------------------------------------------------------------------------------------

  belongs(m) {
    if (m.channel !== this.channel.id) return false;
    return this.thread ? m.ts === this.thread || m.thread_ts === this.thread : !m.thread_ts || m.thread_ts === m.ts;
  }

  ready() {
    this.all().forEach((m) => this.show(m, true));
    this.arrange();
    this.list.scrollTop = this.list.scrollHeight;
    if (!matchMedia("(max-width: 760px)").matches) this.composer.focus();
    this.read();
  }

  all() { return [...(this.S.messages.get(this.channel.id)?.values() || [])].filter((m) => this.belongs(m)).sort((a, b) => (a.ts < b.ts ? -1 : 1)); }
  focus() { this.composer.focus(); }

  read() {
    const last = this.channel.latest;
    if (document.visibilityState === "visible" && last > this.channel.last_read) {
      ask("read", { channel: this.channel.id, ts: last }).then(() => { this.channel.last_read = last; }).catch(() => {});
    }
  }

  show(m, quietly) {
    if (!this.belongs(m)) return;
    const near = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 120;
    const print = JSON.stringify(m), old = this.nodes.get(m.ts);
    if (old?.print === print) return;
    const node = this.draw(m), held = old?.node.contains(document.activeElement) ? handle(document.activeElement) : "";
    if (old) old.node.replaceWith(node); else this.place(m.ts, node);
    this.nodes.set(m.ts, { node, print, m });
    if (held) node.querySelector(held)?.focus();
    if (quietly) return;
    this.arrange();
    if (near || m.user === this.S.me.id) this.list.scrollTop = this.list.scrollHeight;
  }

  place(ts, node) {
    const after = [...this.nodes.entries()].filter(([k]) => k > ts).sort(([a], [b]) => (a < b ? -1 : 1))[0];
    if (after) after[1].node.before(node); else this.list.append(node);
  }

  drop(channel, ts) {
    if (channel !== this.channel.id || !this.nodes.has(ts)) return;
    this.nodes.get(ts).node.remove();
    this.nodes.delete(ts);
    this.arrange();
  }

  // Day lines, the line above what is new, and who speaks twice in a row.
  arrange() {
    this.list.querySelectorAll(".day, .new-line, .replies-line, .nothing").forEach((n) => n.remove());
    let before = null, marked = false;
    for (const { node, m } of [...this.nodes.values()].sort((a, b) => (a.m.ts < b.m.ts ? -1 : 1))) {
      const at = new Date(Number(m.ts) * 1000), day = at.toDateString();
      if (!before || new Date(Number(before.ts) * 1000).toDateString() !== day) node.before(h("div.day", {}, h("span", {}, day === new Date().toDateString() ? "Today" : at.toLocaleDateString([], { weekday: "long", month: "long", day: "numeric" }))));
      if (!marked && !this.thread && m.ts > this.readAt && m.user !== this.S.me.id && before) { node.before(h("div.new-line", {}, h("span", {}, "New"))); marked = true; }
      if (this.thread && before?.ts === this.thread) node.before(h("div.replies-line", {}, h("span", {}, `${this.nodes.size - 1} ${this.nodes.size === 2 ? "reply" : "replies"}`)));
      const same = before && before.user === m.user && Number(m.ts) - Number(before.ts) < MINUTES_TOGETHER && !before.subtype?.includes("_join") && before.ts !== this.thread && !m.is_ephemeral && !before.is_ephemeral;
      node.classList.toggle("follow", Boolean(same));
      before = m;
    }
    if (!this.nodes.size) this.list.append(h("div.nothing", {}, h("h2", {}, this.channel.is_im ? "Nothing here yet" : `This is #${this.channel.name}`), h("p", {}, this.channel.purpose?.value || "Say something.")));
  }

  // -- one message -----------------------------------------------------------------------------------------------

  draw(m) {
    if (/_(join|leave)$/.test(m.subtype || "")) return h("div.message.notice", { data: { ts: m.ts } }, icon("people"), h("span", {}, mrkdwn(m.text)));
    const user = this.S.users.get(m.user), form = new Form();
    const at = { form, act: (b, e, value) => ask("act", { channel: m.channel, ts: m.ts, block_id: b.block_id, action_id: e.action_id, value }), suggest: async (b, e, value) => (await ask("suggest", { channel: m.channel, ts: m.ts, block_id: b.block_id, action_id: e.action_id, value })).options };
    const own = m.blocks && (m.bot_id || !m.text) ? blocks(m.blocks, at) : m.text ? h("div.text", {}, mrkdwn(m.text)) : null;
    return h("article.message", { data: { ts: m.ts }, class: m.is_ephemeral ? "ephemeral" : "", "aria-label": `${user?.profile.real_name || "Somebody"}, ${new Date(Number(m.ts) * 1000).toLocaleTimeString()}` },
      h("div.gutter", {}, avatar(user), h("span.small-time", {}, new Date(Number(m.ts) * 1000).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" }))),
      h("div.body", {},
        h("div.who", {}, h("strong", {}, user?.profile.real_name || "Somebody"), m.bot_id ? h("span.tag", {}, "App") : null, when(Number(m.ts), "{time}")),
        m.is_ephemeral ? h("div.only-you", {}, "Only visible to you") : null,
        h("div.content", {}, own, m.edited && !m.bot_id ? h("small.edited", {}, " (edited)") : null),
        (m.attachments || []).map((a) => h("div.attachment", {}, a.title ? h("strong", {}, a.title) : null, a.text ? h("div", {}, mrkdwn(a.text)) : null, a.blocks ? blocks(a.blocks, at) : null)),
        (m.files || []).map(shared),
        this.marks(m), this.replies(m)),
      this.tools(m));
  }

  marks(m) {
    if (!m.reactions?.length) return null;
    return h("div.reactions", {}, m.reactions.map((r) => h("button.reaction", { type: "button", class: r.users.includes(this.S.me.id) ? "mine" : "", title: r.users.map((u) => this.S.users.get(u)?.profile.real_name).join(", "), "aria-label": `${r.name}, ${r.count}`, onclick: () => this.react(m, r.name) }, emoji(r.name), h("span", {}, r.count))));
  }

  replies(m) {
    if (this.thread || !m.reply_count) return null;
    return h("button.replies", { type: "button", onclick: () => this.go.openThread(m.ts) }, m.reply_users.slice(0, 4).map((u) => avatar(this.S.users.get(u), "tiny")), h("strong", {}, `${m.reply_count} ${m.reply_count === 1 ? "reply" : "replies"}`), h("span.muted", {}, "View thread"));
  }

  react(m, name) { return ask("react", { channel: m.channel, ts: m.ts, name }).catch((e) => toast(e.message, "bad")); }

  tools(m) {
    const more = h("button.icon-button", { type: "button", "aria-label": "More actions for this message", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("more"));
    more.onclick = () => menu(more, this.choices(m));
    const smile = h("button.icon-button", { type: "button", "aria-label": "Add a reaction", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("smile"));
    smile.onclick = () => menu(smile, QUICK.map((name) => ({ label: `${emoji(name)}  ${name}`, do: () => this.react(m, name) })));
    const reply = !this.thread && !m.is_ephemeral ? h("button.icon-button", { type: "button", "aria-label": "Reply in a thread", onclick: () => this.go.openThread(m.thread_ts || m.ts) }, icon("reply")) : null;
    return h("div.tools", { role: "group", "aria-label": "Message actions" }, m.is_ephemeral ? null : smile, reply, more);
  }

  choices(m) {
    const mine = m.user === this.S.me.id, run = (promise) => promise.catch((e) => toast(e.message, "bad"));
    const shortcuts = m.is_ephemeral ? [] : this.S.shortcuts.filter((s) => s.type === "message");
    return [
      ...shortcuts.map((s) => ({ label: s.name, hint: `${this.S.app.name}: ${s.description}`, icon: "bolt", do: () => run(ask("shortcut", { callback_id: s.callback_id, channel: m.channel, ts: m.ts })) })),
      m.is_ephemeral ? null : { label: "Reply in a thread", icon: "reply", do: () => this.go.openThread(m.thread_ts || m.ts) },
      mine && m.text ? { label: "Edit", icon: "edit", do: () => this.rewrite(m) } : null,
      mine || m.is_ephemeral ? { label: m.is_ephemeral ? "Dismiss" : "Delete", icon: "trash", danger: true, do: () => run(ask("delete", { channel: m.channel, ts: m.ts })) } : null,
    ];
  }

  rewrite(m) {
    const box = h("textarea.field-control", { value: new DOMParser().parseFromString(m.text, "text/html").documentElement.textContent, "aria-label": "Edit your message" });
    const { node } = this.nodes.get(m.ts), back = () => node.replaceWith((this.nodes.get(m.ts).node = this.draw(m)));
    const save = async () => { try { await ask("edit", { channel: m.channel, ts: m.ts, text: box.value }); } catch (e) { toast(e.message, "bad"); back(); } };
    box.addEventListener("keydown", (e) => { if (e.key === "Escape") { e.stopPropagation(); back(); } if (e.key === "Enter" && !e.shiftKey) { e.preventDefault(); save(); } });
    node.querySelector(".content").replaceChildren(box, h("div.row", {}, h("button.btn.small", { type: "button", onclick: back }, "Cancel"), h("button.btn.small.primary", { type: "button", onclick: save }, "Save")));
    box.focus();
  }
}

// How to find again, in a message drawn anew, what the keyboard was on.
function handle(n) {
  if (n.dataset.action) return `[data-action="${CSS.escape(n.dataset.action)}"]`;
  const label = n.getAttribute("aria-label");
  return label ? `[aria-label="${CSS.escape(label)}"]` : "";
}

function shared(f) {
  if (f.mode === "tombstone") return h("div.file.gone", {}, icon("trash"), h("span", {}, "This file was deleted."));
  if (f.file_access === "check_file_info") return h("div.file", {}, icon("file"), h("span", {}, "A file from another organisation"));
  if (f.mimetype?.startsWith("image/") && f.original_w) {
    return h("figure.photo", {}, h("figcaption", {}, f.title || f.name),
      h("button.picture", { type: "button", class: "big", "aria-label": `Enlarge ${f.title || f.name}`, onclick: () => enlarge(fileAddress(f.id, 1024), f.title || f.name) }, h("img", { src: fileAddress(f.id, 480), alt: f.title || f.name, width: f.thumb_480_w || f.original_w, height: f.thumb_480_h || f.original_h })));
  }
  return h("a.file", { href: fileAddress(f.id), download: f.name }, icon("file"), h("span", {}, h("strong", {}, f.title || f.name), h("small", {}, `${f.filetype ? f.filetype.toUpperCase() + " · " : ""}${size(f.size)}`)));
}
const size = (n) => (n > 1 << 20 ? `${(n / (1 << 20)).toFixed(1)} MB` : n > 1024 ? `${Math.round(n / 1024)} kB` : `${n} bytes`);
