import type { DiagnosticLine, SettingsModel } from '../../models/settings-model.ts'

const megabytes = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 })
const gigabytes = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'gigabyte', maximumFractionDigits: 0 })
const stamp = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'medium' })

const size = (bytes: number): string => (bytes < 1e9 ? megabytes.format(bytes / 1e6) : gigabytes.format(bytes / 1e9))

const Line = ({ line }: { line: DiagnosticLine }) => (
  <li>
    <time dateTime={new Date(line.atMs).toISOString()}>{stamp.format(line.atMs)}</time>
    <span>
      {line.area} · {line.code}
    </span>
    <span class="hint">{line.detail}</span>
  </li>
)

/** What the device says about itself: storage, and a log without content, names or addresses. */
export const Diagnostics = ({ settings }: { settings: SettingsModel }) => {
  const found = settings.diagnostics.value
  if (found === null) return <p class="hint">Reading…</p>
  const newestFirst = found.lines.toReversed()
  return (
    <>
      <dl class="facts">
        <dt>Storage</dt>
        <dd>
          {found.persisted ? 'The browser keeps it.' : 'The browser may clear it when space runs low.'}
          {!found.persisted && (
            <button type="button" class="button-link" onClick={() => void settings.keepStorage()}>
              Ask it to keep it
            </button>
          )}
        </dd>
        <dt>Used</dt>
        <dd>
          {size(found.usageBytes)} of {size(found.quotaBytes)}
        </dd>
      </dl>
      {newestFirst.length === 0 ? (
        <p class="hint">Nothing unusual has happened.</p>
      ) : (
        <ol class="log" tabIndex={0} aria-label="Diagnostics log">
          {newestFirst.map((line, index) => (
            <Line key={`${line.atMs}-${index}`} line={line} />
          ))}
        </ol>
      )}
    </>
  )
}
