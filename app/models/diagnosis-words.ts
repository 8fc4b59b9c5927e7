import type { ContactDiagnosis, RelayDiagnosis } from '../services/engine-api.ts'

/** What the engine's findings are called where a person reads them. `name` stands for the contact. */

/** Stands in a sentence for a contact whose name has not come yet. */
export const nobodyYet = 'this contact'

type WaitingReason = NonNullable<ContactDiagnosis['reason']>

/** What messages wait for, and what can be done about it if anything can. */
export const waitingWords = (reason: WaitingReason, name: string): string => {
  switch (reason) {
    case 'keys-changed':
      return `Waiting for your yes to ${name}’s new keys. Open the conversation to compare the safety number.`
    case 'own-offline':
      return 'Waiting for a connection to your relay. Check this device’s network; the rest happens by itself.'
    case 'outdated':
      return 'Waiting: your relay needs a newer version of Sotto. Reload the page to get it.'
    case 'not-newest':
      return 'Waiting until one of your relays confirms that this is the newest copy of your profile.'
    case 'own-moving':
      return 'Waiting until one of your relays has your new keys; only then can others answer you.'
    case 'fetching-keys':
      return `Fetching ${name}’s keys from their relay.`
    case 'no-keys':
      return `Waiting: ${name}’s keys could not be fetched, because none of their relays can be reached. It is tried again by itself.`
    case 'account-missing':
      return `Waiting: ${name}’s account is not at their relay any more. Ask them for a new invite link.`
    case 'keys-unusable':
      return `Waiting: what ${name}’s relay gives out as their keys cannot be accepted. It is tried again by itself.`
    case 'update-here':
      return `Waiting: ${name} uses a newer version of Sotto. Reload the page to get it.`
    case 'update-there':
      return `Waiting until ${name} updates Sotto; theirs is too old for this one.`
    case 'first-answer':
      return `Waiting for ${name}’s first answer. An invite lets only a few messages through before it.`
    case 'slow-down':
      return `Waiting: ${name}’s relay asks to slow down. The rest follows by itself.`
    case 'refused':
      return `Waiting: ${name}’s relay does not take it. It is tried again, ever more rarely; ask them for a new invite link.`
    case 'contact-unreachable':
      return `Waiting: none of ${name}’s relays can be reached. It is tried again by itself.`
  }
}

export const pathWords: Readonly<Record<ContactDiagnosis['path'], string>> = {
  direct: 'Reached directly, from device to device.',
  relay: 'Reached through a relay.',
  none: 'Not reached now: neither directly nor through a relay.',
}

/** How the last attempt at a direct link ended. */
export const dialWords: Readonly<Record<NonNullable<ContactDiagnosis['dial']>['outcome'], string>> = {
  linked: 'it worked',
  'no-relay': 'no relay is known that could introduce the two devices',
  'relay-unreachable': 'the relay that introduces the two devices could not be reached',
  'not-there': 'their device is not connected to its relay',
  'no-answer': 'no answer from the other side',
  'no-way-through': 'the two networks do not let a direct connection through',
  'not-recognised': 'a connection stood, but the other side did not show who it is',
  failed: 'it did not come about',
}

export const relayWords: Readonly<Record<RelayDiagnosis['state'], string>> = {
  connecting: 'Connecting',
  connected: 'Connected',
  reconnecting: 'Connecting again',
  offline: 'Not reachable',
  outdated: 'Needs a newer version of Sotto',
}

const lackWords = {
  log: 'your public keys',
  lanes: 'your mailbox’s lanes',
  prekeys: 'keys for new sessions',
} as const satisfies Record<RelayDiagnosis['lacks'][number], string>

/** Whether a relay has everything of ours. */
export const lackingWords = (lacks: RelayDiagnosis['lacks']): string =>
  lacks.length === 0
    ? 'It has everything of yours.'
    : `Not there yet: ${lacks.map((lack) => lackWords[lack]).join(', ')}.`
