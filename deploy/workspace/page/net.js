// Talking to the workspace: one session per tab, so that three tabs are three people.

let session = "";

export function useSession(given) { session = given; }
export function fileAddress(id, size) { return `/_ui/files/${id}?session=${encodeURIComponent(session)}${size ? `&size=${size}` : ""}`; }

export async function ask(door, body = {}) {
  const answer = await fetch(`/_ui/${door}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(session ? { "X-Session": session } : {}) },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!said.ok) {
    const words = said.response_metadata?.messages?.join(" ") || SENTENCES[said.error] || said.error;
    throw Object.assign(new Error(words), { code: said.error });
  }
  return said;
}

export async function people() { return (await fetch("/_ui/people")).json(); }

export async function upload(file, name) {
  const form = new FormData();
  form.append("file", file, name || file.name);
  const answer = await fetch("/_ui/upload", { method: "POST", headers: { "X-Session": session }, body: form });
  const said = await answer.json();
  if (!said.ok) throw new Error(SENTENCES[said.error] || said.error);
  return said.file;
}

export async function enrolMe(form) {
  return (await fetch("/_ui/enrol", { method: "POST", headers: { "X-Session": session }, body: form })).json();
}

const SENTENCES = {
  operation_timed_out: "The app did not answer in time. Nothing was lost; try again.",
  channel_not_found: "You are not in that channel.",
  not_in_channel: "You are not in that channel.",
  message_not_found: "That message is not there any more.",
  invalid_response: "The app answered with something this page cannot show.",
  account_inactive: "This account has been deactivated.",
  no_text: "There is nothing to send yet.",
};

// Live news, with a growing pause between attempts; after a gap everything is loaded again.
export function follow(tell) {
  let wait = 300, gone = false, first;
  const started = new Promise((resolve) => { first = resolve; });
  const open = () => {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/_ui/live?session=${encodeURIComponent(session)}`);
    socket.onopen = () => { if (gone) tell({ type: "reload" }); gone = false; wait = 300; tell({ type: "online" }); first(); };
    socket.onmessage = (event) => tell(JSON.parse(event.data));
    socket.onclose = () => { gone = true; tell({ type: "offline" }); setTimeout(open, wait); wait = Math.min(wait * 2, 5000); };
  };
  open();
  return started;
}
