import type { Report } from '../report.ts'
import { number } from './markdown.ts'

export const startTables = ({ setUp, startUp }: Report): string[] => [
  ...(setUp
    ? [
        '',
        `Session set-up, function loaded: ${setUp.steps.map(({ step, ms }) => `${step} ${number(ms)} ms`).join(', ')}; from the offer’s write to the first byte ${number(setUp.fromOffer)} ms.`,
      ]
    : []),
  ...(startUp
    ? [
        '',
        `Start-up: ${startUp.program} ${number(startUp.programMs)} ms${startUp.programMb > 0 ? ` (${number(startUp.programMb)} MB)` : ''}; function on Node 24 ${number(startUp.functionMs)} ms, of which its bundle ${number(startUp.functionLoadMs)} ms (${number(startUp.functionMb, 1)} MB zipped); with quiche ${number(startUp.quicheMs)} ms (${number(startUp.quicheMb, 1)} MB).`,
      ]
    : []),
]
