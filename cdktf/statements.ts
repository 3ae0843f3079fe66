import type { DataAwsIamPolicyDocument } from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import { hcl, hclList } from './hcl.ts'
import { ACCOUNT } from './names.ts'

/** A statement of a policy as HCL has it: what is a list of maps is a block. */
export interface Statement {
  sid: string
  effect?: 'Deny'
  actions: string[] | string
  resources: string[] | string
  condition?: { test: string; variable: string; values: string[] | string }[]
}

/** Adds statements that are there only while their condition holds. */
export function addOptional(
  document: DataAwsIamPolicyDocument,
  statements: [when: string, Statement][],
): void {
  document.addOverride(
    'dynamic.statement',
    statements.map(([when, content]) => ({ for_each: hcl(`${when} ? [1] : []`), content })),
  )
}

/** A bucket's ARN carries no account: who takes over a freed name shall get nothing. */
export const inAccount = {
  test: 'StringEquals',
  variable: 'aws:ResourceAccount',
  values: [hcl(ACCOUNT)],
}

// A managed policy has room for 6,144 characters. Naming the stack's regions once, here, and not in an ARN for each
// leaves room for all the regions that an account has from its first day.
export const inRegions = {
  test: 'StringEquals',
  variable: 'aws:RequestedRegion',
  values: hclList('sort(local.regions)'),
}

/** What the bucket's key is used for; S3 asks for it in the name of whoever reads and writes. */
export const useOfKeys = {
  sid: 'Keys',
  actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
  resources: hcl('values(var.kms_key_arn)'),
}
export const HAS_KEYS = 'length(var.kms_key_arn) > 0'
