// What a person writes: text, pictures by drag, picker, paste or camera, slash commands and shortcuts.
import { h, icon, menu, toast } from "./dom.js";
import { ask, upload } from "./net.js";

export class Composer {
  constructor(S, channel, thread) {
    Object.assign(this, { S, channel, thread, files: [] });
    const where = thread ? "Reply…" : channel.name ? `Message #${channel.name}` : `Message ${S.users.get(channel.user)?.profile.real_name || ""}`;
    this.box = h("textarea.write", { rows: 1, placeholder: where, "aria-label": where, "aria-autocomplete": "list", oninput: () => this.typed(), onkeydown: (e) => this.key(e), onpaste: (e) => { if (e.clipboardData.files.length) { e.preventDefault(); this.add([...e.clipboardData.files]); } } });
    this.list = h("div.completion", { role: "listbox", "aria-label": "Commands", hidden: true, id: `completion${Math.random().toString(36).slice(2)}` });
    this.box.setAttribute("aria-controls", this.list.id);
    this.chips = h("div.chips", { hidden: true });
    this.sendButton = h("button.icon-button.send", { type: "submit", "aria-label": "Send", disabled: true }, icon("send"));
    const plus = h("button.icon-button", { type: "button", "aria-label": "Shortcuts", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("bolt"));
    plus.onclick = () => menu(plus, this.shortcuts());
    this.node = h("form.composer", { onsubmit: (e) => { e.preventDefault(); this.send(); } }, this.list, this.chips, this.box,
      h("div.composer-row", {}, this.picker("attach", "Attach files", {}), this.picker("camera", "Take a photograph", { accept: "image/*", capture: "environment" }), plus, h("span.grow"), h("span.hint-keys", {}, h("kbd", {}, "Enter"), " sends"), this.sendButton));
  }

  picker(mark, label, props) {
    const field = h("input", { type: "file", class: "sr", multiple: !props.capture, ...props, "aria-label": label, onchange: () => { this.add([...field.files]); field.value = ""; } });
    return h("label.icon-button", { title: label, class: props.capture ? "camera" : "" }, icon(mark), field);
  }

  // Dropping anywhere on the pane attaches.
  accept(pane) {
    const veil = h("div.veil", { hidden: true }, icon("attach"), h("strong", {}, this.thread ? "Drop to add it to the thread" : `Drop to post it in ${this.channel.name ? "#" + this.channel.name : "this conversation"}`));
    pane.append(veil);
    let depth = 0;
    const files = (e) => [...(e.dataTransfer?.types || [])].includes("Files");
    pane.addEventListener("dragenter", (e) => { if (files(e)) { e.preventDefault(); depth += 1; veil.hidden = false; } });
    pane.addEventListener("dragover", (e) => { if (files(e)) e.preventDefault(); });
    pane.addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); veil.hidden = depth === 0; });
    pane.addEventListener("drop", (e) => { if (!files(e)) return; e.preventDefault(); depth = 0; veil.hidden = true; this.add([...e.dataTransfer.files]); });
  }

  focus() { this.box.focus(); }

  shortcuts() {
    const all = this.S.shortcuts.filter((s) => s.type === "global");
    return [{ heading: "Shortcuts" }, ...all.map((s) => ({ label: s.name, hint: `${this.S.app.name}: ${s.description}`, icon: "bolt", do: () => ask("shortcut", { callback_id: s.callback_id }).catch((e) => toast(e.message, "bad")) })),
      ...(this.thread ? [] : [{ heading: "Commands" }, ...this.S.commands.map((c) => ({ label: c.command, hint: c.description, do: () => this.put(c.command + " ") }))])];
  }

  // -- pictures ----------------------------------------------------------------------------------------------------

  async add(given) {
    for (const file of given) {
      const chip = h("div.chip", { class: "busy" }, file.type.startsWith("image/") && !/hei[cf]/.test(file.type) ? h("img", { src: URL.createObjectURL(file), alt: "" }) : icon("file"), h("span", {}, file.name));
      this.chips.hidden = false;
      this.chips.append(chip);
      try {
        const stored = await upload(file);
        this.files.push(stored.id);
        chip.classList.remove("busy");
        chip.append(h("button.icon-button", { type: "button", "aria-label": `Remove ${file.name}`, onclick: () => { this.files = this.files.filter((k) => k !== stored.id); chip.remove(); this.settle(); } }, icon("close")));
      } catch (error) { chip.remove(); toast(`${file.name}: ${error.message}`, "bad"); }
      this.settle();
    }
    this.focus();
  }

  settle() {
    this.chips.hidden = !this.chips.childElementCount;
    this.sendButton.disabled = !this.box.value.trim() && !this.files.length;
  }

  // -- words -------------------------------------------------------------------------------------------------------

  put(text) { this.box.value = text; this.typed(); this.focus(); }

  typed() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 180)}px`;
    this.settle();
    const slash = this.box.value.match(/^\/(\S*)$/), at = this.box.value.slice(0, this.box.selectionStart).match(/(?:^|\s)@([\w.]*)$/);
    if (slash) return this.offer(this.S.commands.filter((c) => c.command.startsWith(this.box.value)).map((c) => ({ label: c.command, hint: [c.usage_hint, c.description].filter(Boolean).join("  ·  "), take: () => this.put(c.command + " ") })));
    if (at) return this.offer([...this.S.users.values()].filter((u) => !u.deleted && u.id !== "USLACKBOT" && (u.name + u.profile.real_name).toLowerCase().includes(at[1].toLowerCase())).slice(0, 6).map((u) => ({ label: "@" + u.name, hint: u.profile.real_name, take: () => this.mention(u) })));
    this.offer([]);
  }

  mention(user) {
    const end = this.box.selectionStart, head = this.box.value.slice(0, end).replace(/@[\w.]*$/, `@${user.name} `);
    this.put(head + this.box.value.slice(end));
  }

  offer(items) {
    this.items = items;
    this.at = 0;
    this.list.hidden = !items.length;
    this.list.replaceChildren(...items.map((item, i) => h("button.menu-item", { type: "button", role: "option", id: `${this.list.id}-${i}`, "aria-selected": String(i === 0), tabIndex: -1, onmousedown: (e) => { e.preventDefault(); item.take(); } }, h("span", {}, h("span", {}, item.label), item.hint ? h("small", {}, item.hint) : null))));
    if (items.length) this.box.setAttribute("aria-activedescendant", `${this.list.id}-0`); else this.box.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const offering = !this.list.hidden;
    if (offering && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.at = (this.at + (event.key === "ArrowDown" ? 1 : -1) + this.items.length) % this.items.length;
      [...this.list.children].forEach((n, i) => n.setAttribute("aria-selected", String(i === this.at)));
      this.box.setAttribute("aria-activedescendant", `${this.list.id}-${this.at}`);
    } else if (offering && (event.key === "Enter" || event.key === "Tab")) { event.preventDefault(); this.items[this.at].take(); }
    else if (offering && event.key === "Escape") { event.stopPropagation(); this.offer([]); }
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.send(); }
  }

  async send() {
    const text = this.box.value.trim(), files = this.files;
    if (!text && !files.length) return;
    const command = text.match(/^(\/[\w-]+)(?:\s+([\s\S]*))?$/);
    this.sendButton.disabled = true;
    try {
      if (command && !files.length) await ask("command", { channel: this.channel.id, command: command[1], text: command[2] || "", thread_ts: this.thread });
      else await ask("post", { channel: this.channel.id, text: this.mentions(text), files, thread_ts: this.thread });
      this.files = [];
      this.chips.replaceChildren();
      this.sent(text);
    } catch (error) { toast(error.message, "bad"); }
    this.settle();
  }

  // What was typed since is kept, and the keyboard is left where somebody has taken it in the meantime.
  sent(text) {
    if (this.box.value.trim() === text) this.box.value = "";
    this.typed();
    const at = document.activeElement;
    if (!at || at === document.body || this.node.contains(at)) this.focus();
  }

  mentions(text) {
    return text.replace(/@([a-z][\w.]*[\w])/gi, (all, name) => { const u = [...this.S.users.values()].find((x) => x.name === name.toLowerCase()); return u ? `<@${u.id}>` : all; });
  }
}
