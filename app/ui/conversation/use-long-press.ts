import { useRef } from 'preact/hooks'

export interface Point {
  readonly x: number
  readonly y: number
}

/** 450 ms: as long as phones wait themselves. */
const longMs = 450
/** A finger is never quite still. */
const movedPx = 10

/** Handlers that tell of a finger resting on an element. A mouse has a button for that. */
export const useLongPress = (onPress: (point: Point) => void) => {
  const pressed = useRef<{ readonly point: Point; readonly timer: ReturnType<typeof setTimeout> } | null>(null)
  const release = () => {
    clearTimeout(pressed.current?.timer)
    pressed.current = null
  }
  return {
    onPointerDown: ({ pointerType, clientX, clientY, isPrimary }: PointerEvent) => {
      release()
      if (pointerType !== 'touch' || !isPrimary) return
      const point = { x: clientX, y: clientY }
      pressed.current = { point, timer: setTimeout(() => onPress(point), longMs) }
    },
    onPointerMove: ({ clientX, clientY }: PointerEvent) => {
      const point = pressed.current?.point
      if (point && Math.hypot(clientX - point.x, clientY - point.y) > movedPx) release()
    },
    onPointerUp: release,
    onPointerCancel: release,
  }
}
