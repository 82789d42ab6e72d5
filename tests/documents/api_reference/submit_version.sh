curl -X POST $BASE/v1/providers/packages/manage/$PACKAGE_ID/versions/$VERSION_ID/submit \
  -H "Authorization: Bearer $TOKEN"
