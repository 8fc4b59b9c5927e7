import { batch, computed, createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { EngineApi, EngineEvent } from '../services/engine-api.ts'
import { connectionOf } from './connection.ts'
import { CurrentConversationModel } from './current-conversation-model.ts'
import { DialogsModel } from './dialogs-model.ts'
import { ConversationsModel } from './conversations-model.ts'
import { InviteModel } from './invite-model.ts'
import { LinkModel } from './link-model.ts'
import { NavigationModel } from './navigation-model.ts'
import { NoticesModel } from './notices-model.ts'
import { OnboardingModel } from './onboarding-model.ts'
import { SettingsModel } from './settings-model.ts'
import type { Phase, World } from './world.ts'

const unreadableInvite =
  'The link you opened is not a whole invite. Ask for it again, and make sure that all of it was copied.'

/**
 * One running session of the app: takes the engine's events and hands each to the models it concerns. `given` is the
 * invite's fragment the page was opened with; empty when it is damaged, null when there is none.
 */
export const AppModel = createModel((engine: EngineApi, world: World, given: string | null) => {
  let invite = given
  const phase = signal<Phase>('starting')
  const onboarding = signal<OnboardingModel | null>(null)
  const lossReason = signal<string | undefined>(undefined)

  const navigation: NavigationModel = new NavigationModel(world.history)
  const notices: NoticesModel = new NoticesModel()
  const conversations: ConversationsModel = new ConversationsModel()
  const current: CurrentConversationModel = new CurrentConversationModel(
    engine,
    world,
    navigation,
    conversations,
    phase,
  )
  const { conversation } = current
  const settings: SettingsModel = new SettingsModel(engine, world)
  const inviteModel: InviteModel = new InviteModel(engine, world)
  const link: LinkModel = new LinkModel(engine, world, (id) => {
    dialogs.close()
    navigation.open(id)
  })
  const dialogs: DialogsModel = new DialogsModel(engine, world, { conversation, invite: inviteModel, link, settings })

  const enter = async () => {
    world.accountMark.set()
    // Asked for after onboarding: some browsers want to see that the person uses the page.
    world.keepStorage().catch(() => undefined)
    if (invite === null || onboarding.value?.invited.value !== 'yes') {
      phase.value = 'ready'
      return
    }
    await link.join(invite)
    batch(() => {
      phase.value = 'ready'
      if (link.problem.value !== null) dialogs.showLink()
    })
  }

  const receive = (event: EngineEvent) => {
    switch (event.kind) {
      case 'conversation':
        return conversations.apply(event.conversation)
      case 'message':
        if (event.message.conversationId === conversation.value?.conversationId.value)
          conversation.value.apply(event.message, event.isNew)
        return
      case 'removed':
        if (event.conversationId === conversation.value?.conversationId.value)
          conversation.value.messages.remove(event.messageIds)
        return
      case 'relays':
        return settings.applyRelays(event.relays)
      case 'profile':
        return settings.applyProfile(event.profile)
      case 'settings':
        return settings.applySettings(event.settings)
      case 'catching-up':
        return conversations.applyCatchingUp(event.waiting)
      case 'problem':
        return notices.add(event.problem)
      case 'superseded':
        // Heard by whoever holds the lead (`with-leader.ts`).
        return
    }
  }

  const beginOnboarding = () => {
    const name = onboarding.value?.name.value ?? ''
    onboarding.value = new OnboardingModel(engine, invite, world.findRelays(), enter)
    onboarding.value.editName(name)
  }

  const beginAnew = () => {
    beginOnboarding()
    phase.value = 'onboarding'
  }

  /** An invite came by the address while the page was open; null when it is damaged. */
  const offerInvite = (fragment: string | null) => {
    if (phase.value === 'onboarding' || phase.value === 'lost') invite = fragment ?? ''
    if (phase.value === 'onboarding') beginOnboarding()
    if (phase.value !== 'ready') return
    if (fragment === null) return notices.add({ message: unreadableInvite })
    link.offer(fragment)
    dialogs.showLink()
  }

  const start = async () => {
    try {
      const state = await engine.open(receive)
      batch(() => {
        conversations.reset(state.conversations)
        settings.applySettings(state.settings)
        settings.applyRelays(state.relays)
        if (state.profile === null) {
          lossReason.value = state.lossReason
          if (world.accountMark.isSet() || state.lossReason !== undefined) phase.value = 'lost'
          else beginAnew()
        } else {
          // Again at each start: it may have been cleared, or the account may be older than the mark.
          world.accountMark.set()
          settings.applyProfile(state.profile)
          phase.value = 'ready'
          if (invite !== null) offerInvite(invite === '' ? null : invite)
        }
      })
    } catch {
      phase.value = 'storage-failed'
    }
  }

  return {
    phase: phase as ReadonlySignal<Phase>,
    /** In phase `lost`: what the browser says about it, if it says anything. */
    lossReason: lossReason as ReadonlySignal<string | undefined>,
    onboarding: onboarding as ReadonlySignal<OnboardingModel | null>,
    conversation,
    dialog: dialogs.opened,
    conversations,
    notices,
    settings,
    invite: inviteModel,
    link,
    safety: dialogs.safety,
    now: world.now,
    /** The one word about how messages travel now. */
    connection: computed(() => {
      const relays = settings.relays.relays.value.map(({ state }) => state)
      return connectionOf(conversation.value?.view.value.path ?? 'none', relays, world.online.value)
    }),
    title: computed(() => (conversations.unread.value > 0 ? `(${conversations.unread.value}) Sotto` : 'Sotto')),

    start,
    /** Goes on without the account that is not stored any more. */
    beginAnew,
    receive,
    offerInvite,
    openConversation: (id: string) => navigation.open(id),
    closeConversation: () => navigation.close(),

    /** The conversation `step` places further down the list than the open one. */
    openNeighbour(step: 1 | -1) {
      const next = conversations.neighbourOf(conversation.value?.conversationId.value, step)
      if (next !== undefined) navigation.open(next)
    },

    openDialog: dialogs.open,
    closeDialog: dialogs.close,

    /** Writes down what is only in memory; the engine is closed by whoever opened it. */
    suspend: () => current.saveDraft(),
  }
})
export interface AppModel extends InstanceType<typeof AppModel> {}
