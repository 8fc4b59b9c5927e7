import { h, render, type ComponentChild } from 'preact'
import { AppModel } from '../models/app-model.ts'
import { createFixtureEngine } from '../models/engine.fixture.ts'
import { createFixtureWorld } from '../models/world.fixture.ts'
import type { EngineState } from '../services/engine-api.ts'
import type { MessageView } from '../models/messages-model.ts'
import type { World } from '../models/world.ts'
import { App } from './App.tsx'
import { loadDialogs } from './dialogs/later-dialogs.ts'
import './styles/all.css'

let mounted: HTMLElement | null = null

/** Shows something alone on the page, as large as the page. */
export const show = (content: ComponentChild): HTMLElement => {
  if (mounted !== null) {
    render(null, mounted)
    mounted.remove()
  }
  mounted = document.createElement('div')
  mounted.id = 'app'
  document.body.append(mounted)
  render(content, mounted)
  return mounted
}

/** The whole app over an engine without a store. */
export const showApp = async (
  state: EngineState,
  messages: readonly MessageView[] = [],
  { invite = null, world: part = {} }: { invite?: string | null; world?: Partial<World> } = {},
) => {
  const engine = createFixtureEngine(state, messages)
  const world = createFixtureWorld(part)
  const app = new AppModel(engine, world, invite)
  const root = show(h(App, { app, touch: world.touch, onReload: world.restart }))
  await Promise.all([app.start(), loadDialogs()])
  return { app, engine, world, root }
}
