import type { SafetyVerdict as Verdict } from '../../models/safety-model.ts'

interface Props {
  readonly verdict: Verdict
  readonly name: string
}

type Tone = 'good' | 'warn' | 'bad'

const words = (verdict: Verdict, name: string): readonly [tone: Tone, title: string, text: string] => {
  switch (verdict) {
    case 'match':
      return ['good', 'The codes match.', `Nobody stands between you and ${name}, who is verified now.`]
    case 'older-here':
      return [
        'warn',
        `This device has not heard of ${name}’s newest keys yet.`,
        'These are the right two people. It asks for the keys now: scan again in a moment.',
      ]
    case 'older-there':
      return [
        'warn',
        `${name}’s device has not heard of your newest keys yet.`,
        'These are the right two people. Let it connect, open the safety number there again, and scan once more.',
      ]
    case 'conflict':
      return [
        'bad',
        'The codes do not match.',
        `One of you is shown keys that the other does not have. Do not write anything private here, and tell ${name} by another road.`,
      ]
    case 'other-people':
      return [
        'bad',
        'Not the same people.',
        `This is the code of another conversation. Open the one with you on ${name}’s device. If it is that one, somebody stands between you.`,
      ]
    case 'not-a-code':
      return [
        'warn',
        'This is not a safety number.',
        `Scan the code that ${name}’s device shows under “Safety number”.`,
      ]
    case 'version':
      return ['warn', 'This code is from another version of Sotto.', 'Reload the page on both devices and scan again.']
  }
}

/** What scanning the other side's code has shown, in one sentence and a reason. */
export const SafetyVerdict = ({ verdict, name }: Props) => {
  const [tone, title, text] = words(verdict, name)
  return (
    <div class={`verdict verdict-${tone}`} role={tone === 'good' ? 'status' : 'alert'}>
      <strong>{title}</strong> {text}
    </div>
  )
}
