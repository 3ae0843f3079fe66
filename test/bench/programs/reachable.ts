import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Endpoint } from '../../../tunnel/net/endpoint.ts'
import { say, spec } from './spec.ts'

// Tries a TCP port until somebody listens there, and says so. Who started it knows how long to wait.

const { address, port } = spec<Endpoint>()
const againMs = 20

const listens = () =>
  new Promise<boolean>(resolve => {
    const socket = connect({ host: address, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

while (!(await listens())) await sleep(againMs)
say({ reachable: true })
