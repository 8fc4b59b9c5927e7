import type { ComponentChildren } from 'preact'

/** Line icons on a 24-unit grid, drawn in the colour of the text. Decorative: the control that holds one has the name. */
const icon = (children: ComponentChildren) => () => (
  <svg
    class="icon"
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="1.75"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
    focusable="false"
  >
    {children}
  </svg>
)

export const BackIcon = icon(<path d="M15 5l-7 7 7 7" />)
export const CloseIcon = icon(<path d="M6 6l12 12M18 6L6 18" />)
export const MoreIcon = icon(<path d="M5.5 12v.01M12 12v.01M18.5 12v.01" stroke-width="2.5" />)
export const ReplyIcon = icon(<path d="M9.5 6L4 11.500l5.500 5.500M4.500 11.500H14a6 6 0 016 6V18" />)
export const EditIcon = icon(<path d="M5 19l.8-3.700L15.500 5.600l2.900 2.900-9.700 9.700zM13.500 7.600l2.900 2.900" />)
export const DeleteIcon = icon(
  <path d="M5 7h14M10 7V4.500h4V7M7 7l.8 12.500h8.400L17 7M10.300 10.500v5.500M13.700 10.500v5.500" />,
)
export const SendIcon = icon(<path d="M12 19V5M6 11l6-6 6 6" />)
export const DownIcon = icon(<path d="M12 5v14M6 13l6 6 6-6" />)
export const UpIcon = icon(<path d="M12 19V5M6 11l6-6 6 6" />)
export const CheckIcon = icon(<path d="M5 12.5l4.5 4.5L19 7.5" />)
export const WarningIcon = icon(<path d="M12 4l9 16H3l9-16zM12 10v4.5M12 17.4v.1" />)
export const InviteIcon = icon(
  <>
    <circle cx="10" cy="8" r="3.75" />
    <path d="M3 20c.6-3.6 3.4-5.5 7-5.5 1.3 0 2.5.2 3.5.7M18.5 14.5v6M15.5 17.5h6" />
  </>,
)
export const LinkIcon = icon(
  <path d="M10 14a4 4 0 005.7 0l3-3a4 4 0 00-5.7-5.7l-1 1M14 10a4 4 0 00-5.7 0l-3 3a4 4 0 005.7 5.7l1-1" />,
)
export const SettingsIcon = icon(
  <>
    <path d="M4 7h9M19 7h1M4 17h1M11 17h9" />
    <circle cx="16" cy="7" r="2.5" />
    <circle cx="8" cy="17" r="2.5" />
  </>,
)
export const ShieldIcon = icon(
  <>
    <path d="M12 3.5l7 2.6v5.4c0 4.2-2.8 7.4-7 9-4.2-1.6-7-4.8-7-9V6.1l7-2.6z" />
    <path d="M9 12l2.2 2.2L15.2 10" />
  </>,
)
export const CopyIcon = icon(
  <>
    <rect x="9" y="9" width="11" height="11" rx="2.5" />
    <path d="M15 9V6.5A2.5 2.5 0 0012.5 4h-6A2.5 2.5 0 004 6.500v6A2.5 2.5 0 006.5 15H9" />
  </>,
)
export const ShareIcon = icon(<path d="M12 15V4M7.5 8L12 3.5 16.5 8M5 13v5a2 2 0 002 2h10a2 2 0 002-2v-5" />)
export const CameraIcon = icon(
  <>
    <path d="M4 8.500A1.5 1.5 0 015.5 7h2l1.5-2.500h6L16.5 7h2A1.5 1.5 0 0120 8.500v9a1.5 1.5 0 01-1.5 1.500h-13A1.5 1.5 0 014 17.500v-9z" />
    <circle cx="12" cy="13" r="3.5" />
  </>,
)
export const PictureIcon = icon(
  <>
    <rect x="4" y="5" width="16" height="14" rx="2" />
    <circle cx="9" cy="10" r="1.5" />
    <path d="M4.5 17l4.500-4 3 2.500L15.500 11l4.500 4.500" />
  </>,
)
export const BubbleIcon = icon(
  <path d="M20.5 11.500a8 8 0 01-8 8H4.500l1.7-3.200A8 8 0 1120.5 11.500zM9 11.500v.01M12.5 11.500v.01M16 11.500v.01" />,
)

export const DirectIcon = icon(
  <>
    <circle cx="5.5" cy="12" r="2.5" />
    <circle cx="18.5" cy="12" r="2.5" />
    <path d="M8 12h8" />
  </>,
)
export const RelayIcon = icon(
  <>
    <circle cx="12" cy="6.5" r="2.5" />
    <circle cx="5.5" cy="17" r="2.5" />
    <circle cx="18.5" cy="17" r="2.5" />
    <path d="M10.5 8.600L7 14.900M13.5 8.600l3.5 6.3" />
  </>,
)
export const ReconnectingIcon = icon(
  <path d="M19.5 8.500A8 8 0 004.2 11M4.5 15.500A8 8 0 0019.8 13M20 4v4.500h-4.500M4 20v-4.500h4.5" />,
)
export const OfflineIcon = icon(
  <path d="M4 4l16 16M8 6.700A6.5 6.5 0 0118.3 11 4 4 0 0120 18M6.3 10A4.5 4.5 0 007.5 19h9" />,
)

export const WaitingIcon = icon(
  <>
    <circle cx="12" cy="12" r="7.5" />
    <path d="M12 8v4.300l2.8 1.7" />
  </>,
)
export const DeliveredIcon = icon(<path d="M2.5 12.500L7 17l9.5-9.500M12 17l9.5-9.5" />)
