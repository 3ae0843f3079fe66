import { type TerraformResource, Token } from 'cdktf'

/** A Terraform expression as JSON carries it: a string wholly made of one interpolation. */
export const hcl = (expression: string) => `\${${expression}}`

// The provider's classes type each argument; an expression takes the place of a value of any of those types.
export const hclNumber = (expression: string) => Token.asNumber(hcl(expression))
export const hclList = (expression: string) => Token.asList(hcl(expression))
export const hclMap = (expression: string) => Token.asStringMap(hcl(expression))

/** An attribute of the instance of `resource` in the region at hand, for the arguments of another per-region resource. */
export const here = (resource: TerraformResource, attribute: string) =>
  hcl(`${resource.terraformResourceType}.${resource.friendlyUniqueId}[each.key].${attribute}`)
