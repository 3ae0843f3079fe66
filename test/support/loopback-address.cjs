// Loaded into a function's process: its sockets have a loopback address of their own, as each exit has a public one.
const { Socket: UdpSocket } = require('node:dgram')
const { Socket } = require('node:net')

const address = `127.${64 + ((process.pid >> 16) & 63)}.${(process.pid >> 8) & 255}.${process.pid & 255 || 1}`

const { bind } = UdpSocket.prototype
UdpSocket.prototype.bind = function (options, ...more) {
  return bind.call(this, typeof options === 'object' ? { ...options, address } : options, ...more)
}
const { connect } = Socket.prototype
Socket.prototype.connect = function (...args) {
  // Node's own calls hand over a list, its first entry the options.
  const [first] = Array.isArray(args[0]) ? args[0] : args
  if (first && typeof first === 'object' && first.port !== undefined) first.localAddress = address
  return connect.apply(this, args)
}
