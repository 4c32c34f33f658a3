// The app's Home tab.
import { h } from "./dom.js";
import { ask } from "./net.js";
import { blocks, Form } from "./blocks.js";

export function homeTab(view, S) {
  if (!view) return h("div.empty", {}, h("h2", {}, `${S.app.name} has nothing on its Home tab yet.`), h("p", {}, "It is drawn by the app when you open it. If this stays empty, the app is not running."));
  const form = new Form();
  const at = {
    form,
    act: (b, e, value) => ask("act", { view_id: view.id, block_id: b.block_id, action_id: e.action_id, value, values: form.get() }),
    suggest: async (b, e, value) => (await ask("suggest", { view_id: view.id, block_id: b.block_id, action_id: e.action_id, value })).options,
    value: (b, e) => view.state.values[b.block_id]?.[e.action_id],
  };
  return h("div.home", {}, blocks(view.blocks, at));
}
