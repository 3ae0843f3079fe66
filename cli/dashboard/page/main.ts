import { h, render } from 'preact'
import { App } from './app.ts'
import { browser } from './browser.ts'

render(h(App, {}), browser.document.getElementById('app')!)
