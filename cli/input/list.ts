/** The items of a list as a person types it: without blanks around them, and none that is empty. */
export const readList = (text: string, separator = ','): string[] =>
  text
    .split(separator)
    .map(item => item.trim())
    .filter(item => item !== '')
