const minuteMs = 60_000
const hourMs = 60 * minuteMs

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' })
const longWeekday = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const fullDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' })
const shortDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'numeric', year: '2-digit' })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'narrow' })
const relativeDay = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })

const startOfDay = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0)

/** Calendar days from `ms` to `now` in local time; rounding absorbs the hour of a clock change. */
const daysAgo = (ms: number, now: number): number => Math.round((startOfDay(now) - startOfDay(ms)) / (24 * hourMs))

const capitalised = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1)

/** `14:02` */
export const clockTime = (ms: number): string => time.format(ms)

/** The whole date and time, for tooltips. */
export const exactTime = (ms: number): string => exact.format(ms)

/** True when both stand under the same date separator. */
export const isSameDay = (a: number, b: number): boolean => startOfDay(a) === startOfDay(b)

/** For the list of conversations: minutes, then the time of day, then yesterday, weekday, date. Never in the future. */
export const relativeTime = (ms: number, now: number): string => {
  const age = Math.max(0, now - ms)
  if (age < minuteMs) return relative.format(0, 'second')
  if (age < hourMs) return relative.format(-Math.floor(age / minuteMs), 'minute')
  const days = daysAgo(ms, now)
  if (days < 1) return time.format(ms)
  if (days === 1) return capitalised(relativeDay.format(-1, 'day'))
  if (days < 7) return weekday.format(ms)
  return new Date(ms).getFullYear() === new Date(now).getFullYear() ? dayAndMonth.format(ms) : shortDate.format(ms)
}

/** For the separators between days: today, yesterday, weekday and date, date with year. */
export const dayName = (ms: number, now: number): string => {
  const days = Math.max(0, daysAgo(ms, now))
  if (days < 2) return capitalised(relativeDay.format(-days, 'day'))
  return new Date(ms).getFullYear() === new Date(now).getFullYear() ? longWeekday.format(ms) : fullDate.format(ms)
}
