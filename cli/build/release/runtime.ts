import type { Component } from './component.ts'

/** Bun, which every executable is made of. Its package has no licence file: this says where its licences are. */
export const bunComponent = (): Component => ({
  purl: `pkg:npm/bun@${Bun.version}`,
  name: 'bun',
  version: Bun.version,
  description: 'The JavaScript runtime that the executable carries',
  licence: 'MIT',
  texts: [
    'Bun is under the MIT licence. It links JavaScriptCore and WebKit (LGPL-2.0-or-later) and other libraries; their\nlicences and how to link it anew are at https://bun.com/docs/project/licensing.',
  ],
  homepage: 'https://bun.com',
  needs: [],
})
