// The theme that somebody prefers, before anything is drawn. Streamlit 1.67.0 reads its own from here as it loads, by the
// page's address; where nobody prefers one, it is the device's.
(() => {
  const { dataset, style } = document.documentElement;
  const key = `stActiveTheme-${location.pathname}-v2`;
  style.colorScheme = dataset.wsTheme || "light dark";
  try {
    if (dataset.wsTheme) localStorage.setItem(key, JSON.stringify(dataset.wsTheme === "dark" ? "Dark" : "Light"));
    else localStorage.removeItem(key);
  } catch {
    // a browser that keeps nothing: Streamlit then does as the device does
  }
})();
