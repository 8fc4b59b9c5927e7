import type { ComponentChildren } from 'preact'

interface Props {
  readonly icon?: ComponentChildren
  readonly title: string
  readonly children: ComponentChildren
}

/** A whole screen with one thing to say. */
export const Screen = ({ icon, title, children }: Props) => (
  <main class="screen">
    <div class="screen-card">
      {icon !== undefined && <span class="screen-icon">{icon}</span>}
      <h1>{title}</h1>
      {children}
    </div>
  </main>
)
