// The keyboard, and the page's account of it.

const KEYS = [
  ["Space", "play or pause"],
  ["← →", "back or on by a slot (15 s); with Shift by 10 minutes"],
  ["Home End", "to the start, to the newest"],
  ["- +", "slower, faster"],
  ["f", "follow a run that goes on"],
  ["j k", "next node, node before"],
  ["/", "search"],
  ["1 2 3 4", "events from info, low, medium, high"],
  ["l", "lasers on or off"],
  ["t", "light or dark"],
  ["?", "this help"],
];
const SLOT_S = 15, JUMP_S = 600;

// actions: play, step(seconds), start, end, faster(steps), follow, node(step), search, severity(least), lasers, theme, help.
export function watchKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event) || document.querySelector("dialog[open]")) return;
    const act = action(event, actions);
    if (!act) return;
    act();
    event.preventDefault();
  });
}

function action(event, a) {
  const jump = event.shiftKey ? JUMP_S : SLOT_S;
  const simple = {
    ArrowLeft: () => a.step(-jump), ArrowRight: () => a.step(jump), Home: a.start, End: a.end,
    "-": () => a.faster(-1), "+": () => a.faster(1), "=": () => a.faster(1), f: a.follow, j: () => a.node(1),
    k: () => a.node(-1), "/": a.search, l: a.lasers, t: a.theme, "?": a.help,
  };
  if (event.key === " ") return event.target.closest("button, select") ? null : a.play;
  if ("1234".includes(event.key)) return () => a.severity(Number(event.key));
  return simple[event.key];
}

// Keys belong to a field that text or a choice is made in; a slider's own arrows do the same as the page's.
function typing(event) {
  return event.target.matches("input:not([type=range]), select, textarea");
}

export function writeHelp(list) {
  for (const [keys, text] of KEYS) {
    const term = document.createElement("dt"), fact = document.createElement("dd");
    for (const key of keys.split(" ")) {
      const cap = document.createElement("kbd");
      cap.textContent = key;
      term.append(cap, " ");
    }
    fact.textContent = text;
    list.append(term, fact);
  }
}
