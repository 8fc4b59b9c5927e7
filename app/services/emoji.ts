/** Whether a text is exactly one emoji, as Unicode recommends them for interchange (UTS #51, RGI emoji). */
export const isEmoji = (text: string): boolean => /^\p{RGI_Emoji}$/v.test(text)
