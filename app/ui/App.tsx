import type { AppModel } from '../models/app-model.ts'
import { ErrorScreen } from './screens/ErrorScreen.tsx'
import { LostScreen } from './screens/LostScreen.tsx'
import { OnboardingScreen } from './screens/OnboardingScreen.tsx'
import { StartingScreen } from './screens/StartingScreen.tsx'
import { Shell } from './Shell.tsx'

interface Props {
  readonly app: AppModel
  /** An on-screen keyboard would cover the page: nothing takes the focus by itself. */
  readonly touch: boolean
  readonly onReload: () => void
}

/** The screen that fits the phase of the session. */
export const App = ({ app, touch, onReload }: Props) => {
  const onboarding = app.onboarding.value
  switch (app.phase.value) {
    case 'starting':
      return <StartingScreen />
    case 'storage-failed':
      return <ErrorScreen obstacle="storage" onReload={onReload} />
    case 'lost':
      return <LostScreen reason={app.lossReason.value} onReload={onReload} onBeginAnew={app.beginAnew} />
    case 'onboarding':
      return onboarding === null ? null : <OnboardingScreen onboarding={onboarding} focus={!touch} />
    case 'ready':
      return <Shell app={app} touch={touch} />
  }
}
