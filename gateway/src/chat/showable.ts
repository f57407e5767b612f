import { printable } from '@arbor/shared/printable'

/** Makes a model's or a gateway's words safe to print: line breaks and tabs stay, whatever else a terminal would obey does not. */
export const showable = (text: string): string =>
  text
    .split(/([\n\t])/)
    .map((part, index) => (index % 2 === 1 ? part : printable(part)))
    .join('')
