import { TabsIcon } from '../parts/icons.tsx'
import { Screen } from './Screen.tsx'

/** Only one tab runs the app; this is what the others show. */
export const ElsewhereScreen = ({ taking, onUseHere }: { taking: boolean; onUseHere: () => void }) => (
  <Screen icon={<TabsIcon />} title="Sotto is open in another tab">
    <p>One tab at a time keeps your messages in order. Nothing is lost when you change over.</p>
    <button type="button" class="button button-strong" disabled={taking} onClick={onUseHere}>
      {taking ? 'Moving over…' : 'Use here'}
    </button>
  </Screen>
)
