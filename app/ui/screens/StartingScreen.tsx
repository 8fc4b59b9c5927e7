/** While the store opens; it fades in late, so that a quick start shows nothing at all. */
export const StartingScreen = () => (
  <main class="screen" aria-busy="true">
    <p class="starting">
      <span class="spinner" />
      <span>Opening Sotto…</span>
    </p>
  </main>
)
