import { consola } from 'consola'
import { errorData } from '../../tunnel/net/coded-error.ts'
import type { Controlled } from '../control/operations.ts'
import { openControl } from '../control/socket.ts'
import { withAdvice } from '../output/advice.ts'

/** Opens the socket for `exits`, `rotate` and their like, and gives what closes it. The proxy serves without it, too. */
export async function openControlOrWarn(port: number, token: string, proxy: Controlled): Promise<() => void> {
  try {
    const { close } = await openControl(port, token, proxy)
    return close
  } catch (error) {
    consola.warn(`Commands cannot reach this proxy: ${withAdvice(errorData(error))}`)
    return () => {}
  }
}
