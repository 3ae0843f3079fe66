import { BudgetsBudget } from '@cdktf/provider-aws/lib/budgets-budget/index.js'
import { BudgetsBudgetAction } from '@cdktf/provider-aws/lib/budgets-budget-action/index.js'
import { DataAwsIamPolicyDocument } from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import { IamPolicy } from '@cdktf/provider-aws/lib/iam-policy/index.js'
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js'
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js'
import { Construct } from 'constructs'
import { hcl, hclList, hclMap, hclNumber, only } from './hcl.ts'
import { comment } from './hcl-blocks.ts'
import { ACCOUNT, functionArn, PARTITION } from './names.ts'

const THERE = hclNumber('var.budget == null ? 0 : 1')
const ACTS = hclNumber('local.budget_acts ? 1 : 0')
/** What sessions cost. Tags would tell the stack's costs apart, but only once somebody has activated them in billing. */
const SERVICES = ['AWS Data Transfer', 'AWS Lambda', 'Amazon Simple Storage Service', 'AmazonCloudWatch']

/** A monthly budget that tells of itself by mail, and at its limit takes from the clients the right to start sessions. */
export class Budget extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id)
    const budget = new BudgetsBudget(this, 'budget', {
      count: THERE,
      name: hcl('local.name'),
      budgetType: 'COST',
      limitAmount: hcl('tostring(var.budget.limit_usd)'),
      limitUnit: 'USD',
      timeUnit: 'MONTHLY',
      costFilter: [{ name: 'Service', values: SERVICES }],
      notification: [notice('ACTUAL', 80), notice('FORECASTED', 100)],
      tags: hclMap('local.tags'),
    })
    comment(
      budget,
      "The whole account's costs of these services: tags would tell the stack's apart, but only once somebody has",
      'activated them as cost allocation tags.',
    )

    const stop = new DataAwsIamPolicyDocument(this, 'stop', {
      count: ACTS,
      statement: [
        {
          sid: 'NoMoreSessions',
          effect: 'Deny',
          actions: ['s3:PutObject', 'lambda:InvokeFunction'],
          resources: hclList(
            `concat(formatlist("%s/*", values(local.bucket_arns)), [${functionArn('"*"')}])`,
          ),
        },
      ],
    })
    const policy = new IamPolicy(new Construct(this, 'stop_clients'), 'policy', {
      count: ACTS,
      name: `${hcl('local.name')}-stop`,
      path: hcl('var.role_path'),
      description: 'Attached by the budget: no further sessions of lambda-nat-proxy.',
      policy: json(stop),
      tags: hclMap('local.tags'),
    })

    const trust = new DataAwsIamPolicyDocument(this, 'budget_trust', {
      count: ACTS,
      statement: [
        {
          actions: ['sts:AssumeRole'],
          principals: [{ type: 'Service', identifiers: ['budgets.amazonaws.com'] }],
          condition: [{ test: 'StringEquals', variable: 'aws:SourceAccount', values: [hcl(ACCOUNT)] }],
        },
      ],
    })
    const role = new IamRole(this, 'role', {
      count: ACTS,
      name: `${hcl('local.name')}-budget`,
      path: hcl('var.role_path'),
      description: 'Attaches the policy that ends new sessions of lambda-nat-proxy, and takes it off.',
      permissionsBoundary: hcl('var.role_permissions_boundary'),
      assumeRolePolicy: json(trust),
      tags: hclMap('local.tags'),
    })
    const attach = new DataAwsIamPolicyDocument(this, 'budget_attach', {
      count: ACTS,
      statement: [
        {
          sid: 'AttachThatPolicyAlone',
          actions: ['Role', 'Group', 'User'].flatMap(kind => [
            `iam:Attach${kind}Policy`,
            `iam:Detach${kind}Policy`,
          ]),
          resources: hclList(
            `[for kind in ["role", "group", "user"] : join(":", ["arn", ${PARTITION}, "iam", "", ${ACCOUNT}, "\${kind}/*"])]`,
          ),
          condition: [
            {
              test: 'ArnEquals',
              variable: 'iam:PolicyARN',
              values: hclList('aws_iam_policy.stop_clients[*].arn'),
            },
          ],
        },
      ],
    })
    const attaching = new IamRolePolicy(this, 'policy', {
      count: ACTS,
      name: 'attach',
      role: only(role, 'id'),
      policy: json(attach),
    })
    new BudgetsBudgetAction(this, 'action', {
      count: ACTS,
      budgetName: only(budget, 'name'),
      actionType: 'APPLY_IAM_POLICY',
      approvalModel: 'AUTOMATIC',
      notificationType: 'ACTUAL',
      executionRoleArn: only(role, 'arn'),
      actionThreshold: { actionThresholdType: 'PERCENTAGE', actionThresholdValue: 100 },
      definition: {
        iamActionDefinition: {
          policyArn: only(policy, 'arn'),
          roles: hclList('var.budget.roles'),
          groups: hclList('var.budget.groups'),
          users: hclList('var.budget.users'),
        },
      },
      subscriber: [{ subscriptionType: 'EMAIL', address: hcl('var.budget.emails[0]') }],
      dependsOn: [attaching],
    })
  }
}

// --- internal ---

const json = ({ friendlyUniqueId }: DataAwsIamPolicyDocument) =>
  hcl(`data.aws_iam_policy_document.${friendlyUniqueId}[0].json`)

const notice = (notificationType: string, threshold: number) => ({
  comparisonOperator: 'GREATER_THAN',
  notificationType,
  threshold,
  thresholdType: 'PERCENTAGE',
  subscriberEmailAddresses: hclList('var.budget.emails'),
})
