"""Resources that must not be replaced, and what of them CloudFormation can't change but by making another one.

The local AWS's own interpreter reads this too, so it needs nothing but the standard library.
"""

CAPACITY_PROVIDER = "AWS::Lambda::CapacityProvider"
FUNCTION = "AWS::Lambda::Function"

# Properties by type, as the schemas of the resource types list them under createOnlyProperties.
PROPERTIES = {
    CAPACITY_PROVIDER: ("CapacityProviderName", "InstanceRequirements", "KmsKeyArn", "PermissionsConfig", "VpcConfig"),
    FUNCTION: ("FunctionName", "PackageType", "TenancyConfig"),
}
# What makes another one where it comes or goes, and is changed in place otherwise: conditionalCreateOnlyProperties.
PRESENCE = {CAPACITY_PROVIDER: (), FUNCTION: ("DurableConfig",)}
