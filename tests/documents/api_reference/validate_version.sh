curl -X POST $BASE/v1/providers/packages/manage/$PACKAGE_ID/versions/$VERSION_ID/validate \
  -H "Authorization: Bearer $TOKEN"
