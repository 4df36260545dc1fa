// Light or dark: as the system has it, until the switch says otherwise.

const KEY = "ascnode-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export function applyTheme() {
  const theme = stored() || (dark.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme;
  return theme;
}

export function watchTheme(button, changed) {
  const show = () => {
    const theme = applyTheme();
    button.textContent = theme === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Change to ${theme === "dark" ? "light" : "dark"} colours`);
    changed();
  };
  const turn = () => {
    store(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    show();
  };
  dark.addEventListener("change", show);
  button.addEventListener("click", turn);
  show();
  return turn;
}

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is refused: the system's choice holds
  }
}

function store(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    document.documentElement.dataset.theme = theme;
  }
}
