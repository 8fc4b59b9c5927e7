/** What the app says when a contact's device has other keys than before. */
export const noticeText = (name: string): string => `${name}’s keys have changed.`

/** A quiet line between the messages; screen readers hear it when it comes. */
export const NoticeRow = ({ name }: { name: string }) => (
  <div class="notice-line">
    <span>{noticeText(name)}</span>
  </div>
)
