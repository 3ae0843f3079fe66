import { type AuditAction, auditActions } from '../../client/audit/audit.ts'
import * as schema from '../schema.ts'
import { setting } from './setting.ts'

/** The audit file of `run`. */
export const auditSettings = {
  'audit.file': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'audit',
    valueHint: 'path',
    about: 'File to record each connection in: user, target, bytes and times',
    example: '/var/log/lambda-nat-proxy/audit.jsonl',
  }),
  'audit.max_size': setting<string>({
    schema: schema.size,
    kind: 'text',
    default: '100MB',
    flag: 'audit-max-size',
    valueHint: 'size',
    about: 'Rotate the audit file when it would grow beyond this size',
  }),
  'audit.keep': setting<number>({
    schema: schema.count(1, 1000),
    kind: 'number',
    default: 10,
    flag: 'audit-keep',
    valueHint: 'n',
    about: 'Number of rotated audit files to keep; older ones are deleted',
  }),
  'audit.on_failure': setting<AuditAction>({
    schema: schema.auditAction,
    kind: 'text',
    default: 'warn',
    flag: 'audit-failure',
    valueHint: 'action',
    about: `While the audit file cannot be written: ${auditActions.join(' or ')} new connections`,
  }),
} as const
